// What the session shows, on its way to the emulator: a program that shows more than can be drawn does not stop the page.

/** How much the emulator has to draw at most before it gets more, in bytes: what is typed is answered after that. */
const HIGH = 256 << 10;
const LOW = 64 << 10;

/** How much waits. What comes beyond that is skipped but for the newest part of it, as it would scroll away unread. */
const MOST = 8 << 20;
const NEWEST = 1 << 20;

type Chunk = { bytes: Uint8Array; then?: () => void };

export class Inflow {
  #queue: Chunk[] = [];
  #waiting = 0;
  #drawing = 0;

  constructor(
    private readonly write: (bytes: Uint8Array, done: () => void) => void,
    /** So many bytes were skipped. */
    private readonly skipped: (bytes: number) => void,
  ) {}

  /** Takes bytes; `then` is called once they are drawn. */
  push(bytes: Uint8Array, then?: () => void): void {
    this.#queue.push({ bytes, then });
    this.#waiting += bytes.length;
    if (this.#waiting > MOST) this.#skip();
    this.#pump();
  }

  /** Forgets what is not drawn yet. */
  clear(): void {
    this.#queue = [];
    this.#waiting = 0;
  }

  #pump(): void {
    while (this.#drawing < HIGH) {
      const chunk = this.#queue.shift();
      if (!chunk) return;
      const { length } = chunk.bytes;
      this.#waiting -= length;
      this.#drawing += length;
      this.write(chunk.bytes, () => {
        chunk.then?.();
        this.#drawing -= length;
        if (this.#drawing < LOW) this.#pump();
      });
    }
  }

  #skip(): void {
    let gone = 0;
    while (this.#waiting > NEWEST) {
      const chunk = this.#queue.shift();
      if (!chunk) break;
      this.#waiting -= chunk.bytes.length;
      gone += chunk.bytes.length;
      chunk.then?.();
    }
    // CAN ends a sequence that was cut, and the colour of what is skipped is not that of the rest.
    this.#queue.unshift({ bytes: new TextEncoder().encode('\x18\x1b[0m') });
    this.#waiting += 5;
    this.skipped(gone);
  }
}
