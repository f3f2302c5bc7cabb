// What is typed: nothing of it is lost in silence when the connection is. The server says how much it has taken; the rest is
// sent again.

/** How much is kept to be sent again, in bytes. */
const KEPT = 64 << 10;

/** How much may be typed while there is no connection, in bytes. */
export const WAITING = 4 << 10;

/** The largest message, in bytes. */
const MESSAGE = 32 << 10;

export class Outbox {
  /** The newest bytes; the last one is the byte `#end`, counted from the begin of the session. */
  #tail = new Uint8Array(0);
  #end = 0;
  /** How many bytes wait for a connection. */
  waiting = 0;

  constructor(private readonly send: (bytes: Uint8Array<ArrayBuffer>) => void) {}

  /** Sends what was typed, or keeps it until there is a connection. `false`: there is no room, and it was not taken. */
  add(bytes: Uint8Array, isOpen: boolean): boolean {
    if (!isOpen && this.waiting + bytes.length > WAITING) return false;
    if (!isOpen) this.waiting += bytes.length;
    const whole = new Uint8Array(this.#tail.length + bytes.length);
    whole.set(this.#tail);
    whole.set(bytes, this.#tail.length);
    this.#tail = whole.slice(-KEPT);
    this.#end += bytes.length;
    if (isOpen) this.#pass(whole.subarray(whole.length - bytes.length));
    return true;
  }

  /** A session that this page has not seen: it has taken so many bytes of others. */
  begin(taken: number): void {
    this.#tail = this.#tail.slice(this.#tail.length - this.waiting);
    this.#end = taken + this.#tail.length;
    this.resume(taken);
  }

  /** There is a connection again, and the session has taken so many bytes. Gives how many of the others are lost. */
  resume(taken: number): number {
    this.waiting = 0;
    const start = this.#end - this.#tail.length;
    this.#pass(this.#tail.slice(Math.max(0, taken - start)));
    return Math.max(0, start - taken);
  }

  /** There is no session any more. Gives how many bytes nobody gets. */
  clear(): number {
    const unsent = this.waiting;
    this.#tail = new Uint8Array(0);
    this.#end = 0;
    this.waiting = 0;
    return unsent;
  }

  #pass(bytes: Uint8Array<ArrayBuffer>): void {
    for (let at = 0; at < bytes.length; at += MESSAGE) this.send(bytes.slice(at, at + MESSAGE));
  }
}
