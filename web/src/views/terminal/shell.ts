// A session and its terminal. It goes on while the user looks at another view.
import { effect, signal, untracked } from '@preact/signals';
import type { InstanceKey } from '../../api/types';
import { idOf, link } from '../../app/store';
import type { Emulator, Hooks } from './emulator';
import { Inflow } from './inflow';
import { recall, remember } from './memory';
import { Outbox } from './outbox';
import { type Hello, type Kind, QUIET, type Size, type State, Wire } from './wire';

/** What was lost, in bytes, each since the session began. */
export type Lost = {
  /** The begin of the session, which the node does not keep any more. */
  old: number;
  missed: number;
  skipped: number;
  /** Input that nobody got. */
  typed: number;
};

const NOTHING: Lost = { old: 0, missed: 0, skipped: 0, typed: 0 };

/** How often it is kept how much was seen, in milliseconds. */
const PAUSE = 1_000;

/** Within so many bytes the first whole line is looked for, where the begin of what comes is cut off. */
const LINE = 4 << 10;

/** Keys that stay down until the next one. */
export type Held = { ctrl: boolean; alt: boolean };

type Make = (hooks: Hooks) => Emulator;

export class Shell {
  readonly place = document.createElement('div');
  readonly emulator: Emulator;
  readonly wire: Wire;
  readonly lost = signal<Lost>(NOTHING);
  /** How many bytes of input wait for the connection. */
  readonly waiting = signal(0);
  /** Whether something was typed that could not be kept. */
  readonly isFull = signal(false);
  readonly held = signal<Held>({ ctrl: false, alt: false });
  /** Counts what was copied. */
  readonly copied = signal(0);
  /** Whether there is or was a session. */
  readonly isBegun = signal(false);
  /** Gives the focus to what is beside the terminal. */
  leave = () => {};
  /** Whether anything was shown. */
  readonly isSilent = signal(true);
  readonly #inflow: Inflow;
  readonly #outbox: Outbox;
  #seen = 0;
  /** Up to here what is shown was drawn before a reload. */
  #replay = 0;
  /** The begin of what comes may be in the middle of a line. */
  #isCut = false;
  #id = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void)[] = [];

  constructor(
    readonly key: InstanceKey,
    readonly kind: Kind,
    make: Make,
    hooks: Pick<Hooks, 'selected' | 'link'>,
  ) {
    this.place.className = 'screen';
    this.emulator = make({
      ...hooks,
      leave: () => this.leave(),
      typed: (bytes) => this.#typed(bytes),
      resized: (size) => this.#resized(size),
    });
    this.wire = new Wire(key, kind, {
      hello: (hello, anew) => this.#hello(hello, anew),
      bytes: (bytes) => this.#bytes(bytes),
      size: () => this.emulator.size,
      seen: () => this.#seen,
    });
    this.#outbox = new Outbox((bytes) => this.wire.send(bytes));
    const skip = (bytes: number) => this.#lose({ skipped: bytes });
    this.#inflow = new Inflow((bytes, done) => this.emulator.write(bytes, done), skip);
    this.#follow();
  }

  /** Comes back to the session that this tab had, or begins one. Its place has to be in the page. */
  open(): void {
    this.isBegun.value = true;
    const known = recall(this.key, this.kind);
    this.#replay = known?.seen ?? 0;
    this.wire.open(known?.id ?? null);
  }

  /** Begins a new session below what is shown. */
  anew(take = false): void {
    remember(this.key, this.kind, null);
    this.emulator.next();
    this.#forget();
    this.wire.open(null, take);
  }

  /** Whether a session goes on, or is about to. */
  get isOn(): boolean {
    return ['opening', 'open', 'lost'].includes(this.wire.state.value.is);
  }

  dispose(): void {
    for (const stop of this.#stop) stop();
    this.#keep();
    this.wire.part();
    this.emulator.dispose();
    this.place.remove();
  }

  #forget(): void {
    this.#inflow.clear();
    this.#outbox.clear();
    this.emulator.mute = false;
    this.#seen = 0;
    this.#replay = 0;
    this.waiting.value = 0;
    this.isFull.value = false;
    this.isSilent.value = true;
    this.lost.value = NOTHING;
  }

  #hello({ id, from, lost, input }: Hello, anew: boolean): void {
    const isFirst = anew || this.#id !== id;
    this.#id = id;
    if (isFirst) {
      this.emulator.mute = from < this.#replay;
      this.#isCut = from > 0;
      this.#outbox.begin(input);
      this.lost.value = { ...NOTHING, old: lost };
    } else {
      const typed = this.#outbox.resume(input);
      this.#isCut = lost > 0;
      this.#lose({ missed: lost, typed });
    }
    this.#seen = from;
    this.waiting.value = 0;
    this.isFull.value = false;
    const { width, height } = this.emulator.size;
    // A program that draws the whole screen draws it anew when the size changes.
    if (lost > 0 && height > 2) this.wire.resize({ width, height: height - 1 });
    this.wire.resize({ width, height });
    this.#keep();
  }

  #bytes(bytes: Uint8Array): void {
    this.isSilent.value = false;
    let rest = bytes;
    if (this.#isCut) {
      this.#isCut = false;
      const line = bytes.subarray(0, LINE).indexOf(10);
      rest = bytes.subarray(line + 1);
    }
    const before = this.#replay - this.#seen;
    this.#seen += bytes.length;
    if (before > 0) {
      // From the end of what was drawn before on, the terminal answers.
      const old = rest.subarray(0, Math.max(0, before - (bytes.length - rest.length)));
      rest = rest.subarray(old.length);
      const isAll = this.#seen >= this.#replay;
      this.#inflow.push(old, () => {
        if (isAll) this.emulator.mute = false;
      });
    }
    if (rest.length > 0) this.#inflow.push(rest);
    this.#timer ??= setTimeout(() => this.#keep(), PAUSE);
  }

  #typed(bytes: Uint8Array): void {
    const { state } = this.wire;
    if (!this.isOn) {
      if (bytes.length === 1 && bytes[0] === 13 && state.value.is !== 'rival') this.anew();
      return;
    }
    const taken = this.#outbox.add(this.#hold(bytes), this.wire.isOpen);
    if (!taken) this.isFull.value = true;
    this.waiting.value = this.#outbox.waiting;
  }

  /** What is typed, with the keys that are held down. */
  #hold(bytes: Uint8Array): Uint8Array {
    const { ctrl, alt } = this.held.value;
    if (!ctrl && !alt) return bytes;
    this.held.value = { ctrl: false, alt: false };
    const [first = 0] = bytes;
    const isLetter = bytes.length === 1 && first >= 0x3f && first < 0x7f;
    const typed = ctrl && isLetter ? [first === 0x3f ? 0x7f : first & 0x1f] : [...bytes];
    return Uint8Array.from(alt ? [0x1b, ...typed] : typed);
  }

  #resized(size: Size): void {
    this.wire.resize(size);
  }

  #lose({ missed = 0, skipped = 0, typed = 0 }: Partial<Lost>): void {
    if (missed + skipped + typed === 0) return;
    const { lost } = this;
    lost.value = {
      old: lost.value.old,
      missed: lost.value.missed + missed,
      skipped: lost.value.skipped + skipped,
      typed: lost.value.typed + typed,
    };
  }

  #keep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#id && this.isOn) remember(this.key, this.kind, { id: this.#id, seen: this.#seen });
  }

  #follow(): void {
    const on = (target: EventTarget, name: string, what: () => void) => {
      target.addEventListener(name, what);
      this.#stop.push(() => target.removeEventListener(name, what));
    };
    on(window, 'pagehide', () => this.#keep());
    on(window, 'online', () => this.wire.wake());
    on(window, 'offline', () => this.wire.doubt(true));
    on(document, 'visibilitychange', () => document.visibilityState === 'visible' && this.wire.wake());
    // The events of the page notice a lost connection earlier than a session does that shows nothing.
    let timer: ReturnType<typeof setTimeout> | undefined;
    const events = effect(() => {
      clearTimeout(timer);
      const isLost = link.value === 'lost';
      untracked(() => (isLost ? this.wire.doubt() : this.wire.wake()));
      if (isLost) timer = setTimeout(() => this.wire.doubt(), QUIET);
    });
    const ends = effect(() => {
      const state = this.wire.state.value;
      if (!['opening', 'open', 'lost'].includes(state.is)) untracked(() => this.#over(state));
    });
    this.#stop.push(events, ends, () => clearTimeout(timer));
  }

  #over(state: State): void {
    remember(this.key, this.kind, null);
    this.#id = '';
    // A session from before the reload that is gone leaves nothing to look at.
    const isGone = state.is === 'failed' && state.problem.status === 404 && this.#replay > 0;
    if (isGone && this.isSilent.value) queueMicrotask(() => this.anew());
  }
}

/** The sessions of this page; of those that nobody looks at a few go on. */
const shells = new Map<string, Shell>();
const MOST = 4;

export function shellOf(key: InstanceKey, kind: Kind, begin: () => Shell): Shell {
  const name = `${kind} ${idOf(key)}`;
  const known = shells.get(name);
  shells.delete(name);
  const shell = known ?? begin();
  shells.set(name, shell);
  for (const [other, old] of shells) {
    if (shells.size <= MOST) break;
    old.dispose();
    shells.delete(other);
  }
  return shell;
}
