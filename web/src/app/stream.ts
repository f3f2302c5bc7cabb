// Follows the node's events. The link may be lost at any time: it is made anew after the last event that was seen.
import { ROOT } from '../api/client';
import type { Change, Problem } from '../api/types';

export type Told =
  | { type: 'changes'; changes: Change[] }
  /** Changes were missed: lists are to be asked for anew. */
  | { type: 'reset' }
  | { type: 'link'; state: 'lost' }
  /** The link is open, and what comes is after the event of this number. */
  | { type: 'link'; state: 'open'; after: string }
  /** The stream is refused for good: with no right to see anything there are no events. */
  | { type: 'refused'; problem: Problem };

/** The server says something each 15 s. A link that is silent for longer than this is dead, in milliseconds. */
const SILENCE = 40_000;

/** How long it waits before each new try, in milliseconds. */
const PAUSES = [250, 1_000, 2_000, 4_000];

export class Stream {
  #last = '';
  #stop: AbortController | null = null;
  #heard = 0;
  #tries = 0;
  #isOpen = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly tell: (told: Told) => void,
    private readonly origin = '',
  ) {}

  /** Begins, or goes on after the last event. */
  start(): void {
    if (this.#stop) return;
    this.#stop = new AbortController();
    void this.#follow(this.#stop);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stop?.abort();
    this.#stop = null;
  }

  /** Looks at once whether the link still lives, as after a sleep of the computer. */
  wake(): void {
    if (Date.now() - this.#heard < SILENCE / 2) return;
    this.#again(0);
  }

  #again(pause: number): void {
    this.stop();
    this.#timer = setTimeout(() => this.start(), pause);
  }

  async #follow(stop: AbortController): Promise<void> {
    const watch = setInterval(() => {
      if (Date.now() - this.#heard > SILENCE) stop.abort();
    }, 5_000);
    this.#heard = Date.now();
    try {
      const after = this.#last ? `?after=${encodeURIComponent(this.#last)}` : '';
      const response = await fetch(`${this.origin}${ROOT}/events${after}`, {
        signal: stop.signal,
        credentials: 'omit',
      });
      if (response.status === 403 || response.status === 401) {
        this.tell({ type: 'refused', problem: await response.json() });
        return;
      }
      if (!response.ok || !response.body) throw new Error(String(response.status));
      this.#tries = 0;
      this.#isOpen = false;
      await this.#read(response.body);
    } catch {
      // Whatever it was, the next try tells whether it lasts.
    } finally {
      clearInterval(watch);
    }
    if (this.#stop !== stop) return; // somebody else has begun anew
    this.tell({ type: 'link', state: 'lost' });
    this.#again(PAUSES[Math.min(this.#tries++, PAUSES.length - 1)] ?? 0);
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#heard = Date.now();
      text += value;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) this.#take(frame);
    }
  }

  #take(frame: string): void {
    let event = '';
    let data = '';
    for (const line of frame.split('\n')) {
      if (line.startsWith('id: ')) this.#last = line.slice(4);
      if (line.startsWith('event: ')) event = line.slice(7);
      if (line.startsWith('data: ')) data += line.slice(6);
    }
    if (!this.#isOpen && this.#last) {
      this.#isOpen = true;
      this.tell({ type: 'link', state: 'open', after: this.#last });
    }
    if (event === 'reset') this.tell({ type: 'reset' });
    if (event === 'change') this.tell({ type: 'changes', changes: JSON.parse(data) });
  }
}
