// Keys that the keyboards of phones do not have.
import { words } from '../../i18n/terminal';
import type { Shell } from './shell';

const CURSOR = { up: 'A', down: 'B', right: 'C', left: 'D', home: 'H', end: 'F' };

type Key = keyof typeof CURSOR | 'esc' | 'tab' | 'ctrl' | 'alt' | '|' | '/' | '-';

const KEYS: [Key, string][] = [
  ['esc', 'Esc'],
  ['tab', 'Tab'],
  ['ctrl', 'Ctrl'],
  ['alt', 'Alt'],
  ['left', '←'],
  ['down', '↓'],
  ['up', '↑'],
  ['right', '→'],
  ['home', 'Home'],
  ['end', 'End'],
  ['|', '|'],
  ['/', '/'],
  ['-', '-'],
];

/** Types a key, with those that are held. */
function press(shell: Shell, key: Key): void {
  const { emulator, held } = shell;
  const { ctrl, alt } = held.value;
  if (key === 'ctrl' || key === 'alt') {
    held.value = { ctrl, alt, [key]: !held.value[key] };
  } else if (key in CURSOR) {
    const letter = CURSOR[key as keyof typeof CURSOR];
    const with_ = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0);
    held.value = { ctrl: false, alt: false };
    emulator.type(with_ > 1 ? `\x1b[1;${with_}${letter}` : `\x1b${emulator.isApplication ? 'O' : '['}${letter}`);
  } else {
    emulator.type(key === 'esc' ? '\x1b' : key === 'tab' ? '\t' : key);
  }
}

export function Keybar({ shell }: { shell: Shell }) {
  const t = words.value;
  return (
    <div class="keybar" role="toolbar" aria-label={t.keybar}>
      {KEYS.map(([key, sign]) => (
        <button
          key={key}
          type="button"
          class="button"
          aria-label={t.keys[key as keyof typeof t.keys] ?? sign}
          aria-pressed={key === 'ctrl' || key === 'alt' ? shell.held.value[key] : undefined}
          // The terminal keeps the focus, and with it the keyboard of the phone.
          onPointerDown={(event) => event.preventDefault()}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => press(shell, key)}
        >
          {sign}
        </button>
      ))}
    </div>
  );
}
