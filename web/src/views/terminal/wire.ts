// The websocket of a session: it is opened again when the connection is lost, and says how it ended.
import { signal } from '@preact/signals';
import { ApiError, ask, asProblem, instancePath, url } from '../../api/client';
import type { InstanceKey, Problem } from '../../api/types';

export type Kind = 'exec' | 'console';

export type Size = { width: number; height: number };

/** What the server says of the session when a connection has come to it. */
export type Hello = { id: string; from: number; lost: number; input: number };

export type State =
  | { is: 'opening' }
  | { is: 'open' }
  /** The connection is lost, and the session waits for this page. */
  | { is: 'lost'; tries: number }
  | { is: 'ended'; code: number | null }
  | { is: 'left' }
  | { is: 'taken'; by: string }
  /** Somebody else has the console. */
  | { is: 'rival'; problem: Problem }
  | { is: 'failed'; problem: Problem };

type By = { login?: string | null; node: string };

type Told = { session: Hello } | { exit: { code: number | null } } | { error: Problem } | { taken: { by: By } };

type Hooks = {
  hello(hello: Hello, anew: boolean): void;
  bytes(bytes: Uint8Array): void;
  size(): Size;
  /** How many bytes of the session were received. */
  seen(): number;
};

/** How long the next try waits, in milliseconds. */
const PAUSES = [200, 500, 1_000, 2_000, 4_000];

/** A connection that is not there after so many milliseconds is tried anew. */
const PATIENCE = 15_000;

/** A connection by which something came within so many milliseconds is there. */
export const QUIET = 5_000;

/** Codes of a close after which the session is still there. */
const LOST = new Set([1001, 1005, 1006, 1012, 1013, 4408]);

/** Our own close of a connection whose session stays. */
const PARTED = 3000;

/** What a refusal says before the websocket, where trying again does not help. */
const FINAL = new Set([401, 403, 404, 410, 421]);

export class Wire {
  readonly state = signal<State>({ is: 'opening' });
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  #session: string | null = null;
  #take = false;
  /** When something came at last. */
  #heard = 0;

  constructor(
    private readonly key: InstanceKey,
    private readonly kind: Kind,
    private readonly hooks: Hooks,
  ) {}

  /** Begins a session, or comes back to one. */
  open(session: string | null, take = false): void {
    this.#drop();
    this.#session = session;
    this.#take = take;
    this.#tries = 0;
    this.state.value = { is: 'opening' };
    this.#connect();
  }

  get isOpen(): boolean {
    return this.state.value.is === 'open';
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    if (this.isOpen) this.#socket?.send(data);
  }

  resize({ width, height }: Size): void {
    if (this.isOpen) this.#socket?.send(JSON.stringify({ resize: { width, height } }));
  }

  /** Ends the session. */
  end(): void {
    this.#socket?.close(1000);
    this.#drop();
    this.state.value = { is: 'left' };
  }

  /** Parts from the session, which stays a while. */
  part(): void {
    this.#drop();
    this.state.value = { is: 'left' };
  }

  /** Tries at once, where the next try waits. */
  wake(): void {
    if (this.state.value.is !== 'lost') return;
    this.#drop();
    this.#connect();
  }

  /** The network says that the connection is lost, before the connection itself does. */
  doubt(isSure = false): void {
    if (!this.isOpen || (!isSure && Date.now() - this.#heard < QUIET)) return;
    this.#drop();
    this.#lose();
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(PARTED);
  }

  #connect(): void {
    const { width, height } = this.hooks.size();
    const query = this.#session
      ? { session: this.#session, after: this.hooks.seen() }
      : { width, height, take: this.#take || undefined };
    const address = url(instancePath(this.key, this.kind), query);
    const socket = new WebSocket(location.origin.replace(/^http/, 'ws') + address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    let end: State | null = null;
    this.#timer = setTimeout(() => socket === this.#socket && this.#again(), PATIENCE);
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
      if (socket !== this.#socket) return;
      this.#heard = Date.now();
      if (typeof data !== 'string') this.hooks.bytes(new Uint8Array(data));
      else end = this.#told(JSON.parse(data)) ?? end;
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      clearTimeout(this.#timer);
      if (end) this.state.value = end;
      else if (LOST.has(code)) void this.#closed(address);
      else if (code === 1000) this.state.value = { is: 'left' };
      else this.state.value = { is: 'failed', problem: asProblem(new Error(`the connection was closed: ${code}`)) };
    };
  }

  /** What the server says beside the bytes. Gives the state in which the connection is to end. */
  #told(told: Told): State | null {
    if ('session' in told) {
      clearTimeout(this.#timer);
      const anew = this.#session !== told.session.id;
      this.#session = told.session.id;
      this.#tries = 0;
      this.state.value = { is: 'open' };
      this.hooks.hello(told.session, anew);
      return null;
    }
    if ('exit' in told) return { is: 'ended', code: told.exit.code };
    if ('taken' in told) return { is: 'taken', by: told.taken.by.login ?? told.taken.by.node };
    // Only the refusal of a begin offers to take the console: later ones say that this does not help.
    const isRival = this.kind === 'console' && told.error.status === 409 && !this.#take && !this.isOpen;
    return { is: isRival ? 'rival' : 'failed', problem: told.error };
  }

  /** The connection is gone. Before it was open, the server may have refused it, which a websocket does not tell. */
  async #closed(address: string): Promise<void> {
    if (!this.isOpen) {
      const problem = await refusal(address);
      if (this.#socket || this.state.value.is === 'left') return; // it goes on already
      if (problem) {
        this.state.value = { is: 'failed', problem };
        return;
      }
    }
    this.#lose();
  }

  #lose(): void {
    this.state.value = { is: 'lost', tries: this.#tries };
    const pause = PAUSES[Math.min(this.#tries, PAUSES.length - 1)];
    this.#tries++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  #again(): void {
    this.#drop();
    this.#lose();
  }
}

/** Why the server does not let this page have a websocket there, if that is so. */
async function refusal(address: string): Promise<Problem | null> {
  try {
    await ask('GET', address, { signal: AbortSignal.timeout(5_000) });
    return null;
  } catch (error) {
    return error instanceof ApiError && FINAL.has(error.status) ? error.problem : null;
  }
}
