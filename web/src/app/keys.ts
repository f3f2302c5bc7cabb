// Keys that work anywhere but in a field.
import { isOpen } from '../components/dialog';
import { showKeys, showPalette } from './palette';
import { go } from './router';

const LEADS: Record<string, string> = { o: '/', i: '/instances', p: '/operations' };

/** How long after `g` the next key counts, in milliseconds. */
const PATIENCE = 1_500;

let led = 0;

export function listen(): void {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k' && !isTerminal(event.target)) {
      event.preventDefault();
      if (!isOpen()) showPalette();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isOpen() || isTyping(event.target)) return;
    const wasLed = Date.now() - led < PATIENCE;
    led = 0;
    const address = LEADS[event.key];
    if (wasLed && address) act(event, () => go(address));
    if (event.key === 'g') led = Date.now();
    if (event.key === '?') act(event, showKeys);
    if (event.key === 'c') act(event, () => go('/create'));
    if (event.key === '/') {
      const field = document.querySelector<HTMLInputElement>('main input[type=search]');
      if (field) act(event, () => field.focus());
      else act(event, showPalette);
    }
  });
}

function act(event: KeyboardEvent, what: () => void): void {
  event.preventDefault();
  what();
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input:not([type=checkbox]), textarea, select') !== null;
}

/** A terminal has all keys for itself. */
function isTerminal(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('.xterm') !== null;
}
