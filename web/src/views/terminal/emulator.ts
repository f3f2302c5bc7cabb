// The terminal itself: xterm.js, and what of it this page lets instances do. It is loaded when a terminal is opened.
import { FitAddon } from '@xterm/addon-fit';
import { type ITheme, Terminal } from '@xterm/xterm';
import type { Size } from './wire';

export type Hooks = {
  typed(bytes: Uint8Array): void;
  resized(size: Size): void;
  selected(text: string): void;
  /** Somebody wants to follow a link that the instance shows. */
  link(address: string): void;
  /** The keys are to go elsewhere. */
  leave(): void;
};

export type Look = { theme: ITheme; fontSize: number; reader: boolean };

const FONT =
  'ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", Menlo, Consolas, "Liberation Mono", monospace';

const SCROLLBACK = 5_000;

/** What a session leaves set that is not for the next one: other screen, mouse, paste and focus reports, keys, colours. */
const RESET = '\x18\x1b[?47l\x1b[?1000;1002;1003;1004;1006;2004;1l\x1b[!p\x1b[0m\x1b[?25h';

/** The policy of the page forbids styles in attributes, by which the emulator colours letters; by the object model it may. */
HTMLSpanElement.prototype.setAttribute = function (name: string, value: string) {
  if (name === 'style') this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};

export class Emulator {
  /** What is drawn was drawn before: nobody waits for answers to what it asks. */
  mute = false;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #encoder = new TextEncoder();

  constructor(
    private readonly hooks: Hooks,
    look: Look,
  ) {
    this.#terminal = new Terminal({
      fontFamily: FONT,
      fontSize: look.fontSize,
      theme: look.theme,
      screenReaderMode: look.reader,
      scrollback: SCROLLBACK,
      minimumContrastRatio: 4.5,
      cursorBlink: false,
      rightClickSelectsWord: false,
      macOptionClickForcesSelection: true,
      // Without allowNonHttpProtocols it offers links of http and https alone.
      linkHandler: { activate: (_, address) => hooks.link(address) },
    });
    const terminal = this.#terminal;
    terminal.loadAddon(this.#fit);
    terminal.onData((text) => this.#typed(text));
    terminal.onBinary((text) => hooks.typed(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    terminal.onResize(({ cols, rows }) => hooks.resized({ width: cols, height: rows }));
    terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.#guard();
  }

  /** Puts it into a place of the page; it may have been elsewhere before. */
  open(place: HTMLElement, label: string): void {
    if (this.#terminal.element) return;
    this.#terminal.open(place);
    this.#terminal.textarea?.setAttribute('aria-label', label);
    this.#selects(place);
    this.#touches(place);
  }

  get size(): Size {
    return { width: this.#terminal.cols, height: this.#terminal.rows };
  }

  fit(): void {
    const wanted = this.#fit.proposeDimensions();
    if (wanted && wanted.cols > 1 && wanted.rows > 0) this.#terminal.resize(Math.min(wanted.cols, 1_000), wanted.rows);
  }

  set(look: Look): void {
    const { options } = this.#terminal;
    if (options.theme !== look.theme) options.theme = look.theme;
    if (options.fontSize !== look.fontSize) options.fontSize = look.fontSize;
    if (options.screenReaderMode !== look.reader) options.screenReaderMode = look.reader;
    this.fit();
  }

  write(bytes: Uint8Array, done: () => void): void {
    this.#terminal.write(bytes, done);
  }

  /** Makes room for the next session, below what the last one has shown. */
  next(): void {
    this.#terminal.write(`${RESET}\r\n`);
  }

  /** Types a text as if it came by the keyboard. */
  type(text: string): void {
    this.#terminal.input(text);
  }

  /** Pastes a text as the browser would. */
  paste(text: string): void {
    this.#terminal.paste(text);
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Whether the cursor's keys are to be sent in their other form. */
  get isApplication(): boolean {
    return this.#terminal.modes.applicationCursorKeysMode;
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  /** All that is there to be scrolled to. */
  get text(): string {
    const buffer = this.#terminal.buffer.active;
    let text = '';
    for (let at = 0; at < buffer.length; at++) {
      const line = buffer.getLine(at);
      const isNew = at > 0 && !line?.isWrapped;
      text += `${isNew ? '\n' : ''}${line?.translateToString(true) ?? ''}`;
    }
    return `${text.trimEnd()}\n`;
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #typed(text: string): void {
    this.hooks.typed(this.#encoder.encode(text));
  }

  /** Whether the emulator is to take a key. */
  #key(event: KeyboardEvent): boolean {
    const isShifted = event.ctrlKey && event.shiftKey && !event.altKey;
    if (isShifted && event.code === 'KeyV') return false; // the browser pastes
    if (isShifted && event.code === 'KeyC') {
      if (event.type === 'keydown') {
        event.preventDefault();
        if (this.selection) this.hooks.selected(this.selection);
      }
      return false;
    }
    if (event.ctrlKey && event.key === 'F6') {
      if (event.type === 'keydown') this.hooks.leave();
      return false;
    }
    return true;
  }

  /** Copies what was selected once the button is let go, wherever that is. */
  #selects(place: HTMLElement): void {
    let before = '';
    const done = () => {
      const text = this.selection;
      if (text && text !== before) this.hooks.selected(text);
    };
    const begin = () => {
      before = this.selection;
      document.addEventListener('mouseup', () => setTimeout(done), { once: true });
    };
    // Before the emulator, which selects a word at once.
    place.addEventListener('mousedown', begin, { capture: true });
  }

  /** Fingers move the text; of a program that has the whole screen, as a wheel does. */
  #touches(place: HTMLElement): void {
    let last = 0;
    place.addEventListener(
      'touchstart',
      ({ touches: [finger] }) => {
        last = finger?.clientY ?? 0;
      },
      { passive: true },
    );
    const move = (event: TouchEvent) => {
      const [finger] = event.touches;
      const screen = place.querySelector('.xterm-screen');
      if (!finger || !screen || event.touches.length > 1) return;
      event.preventDefault();
      const { clientX, clientY } = finger;
      const line = screen.clientHeight / this.#terminal.rows;
      const lines = Math.trunc((last - clientY) / line);
      if (lines === 0) return;
      last -= lines * line;
      const { buffer, modes } = this.#terminal;
      if (buffer.active.type === 'normal' && modes.mouseTrackingMode === 'none') this.#terminal.scrollLines(lines);
      else {
        const wheel = { deltaY: lines, deltaMode: WheelEvent.DOM_DELTA_LINE, clientX, clientY };
        screen.dispatchEvent(new WheelEvent('wheel', { ...wheel, bubbles: true, cancelable: true }));
      }
    };
    place.addEventListener('touchmove', move, { passive: false });
  }

  /** What asks the terminal for an answer is not heard while it is mute, and the clipboard is never given to an instance. */
  #guard(): void {
    const { parser } = this.#terminal;
    const isMute = () => this.mute;
    for (const id of [
      { final: 'c' },
      { prefix: '>', final: 'c' },
      { final: 'n' },
      { prefix: '?', final: 'n' },
      { intermediates: '$', final: 'p' },
      { prefix: '?', intermediates: '$', final: 'p' },
    ]) {
      parser.registerCsiHandler(id, isMute);
    }
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, isMute);
    for (const colour of [4, 10, 11, 12]) parser.registerOscHandler(colour, (text) => this.mute && text.includes('?'));
    parser.registerOscHandler(52, () => true);
  }
}
