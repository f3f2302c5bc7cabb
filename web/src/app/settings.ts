// What a user has chosen in this browser.
import { effect, type Signal, signal } from '@preact/signals';

/** A choice that the browser keeps. Where it keeps nothing, it lasts as long as the page. */
export function kept<T>(name: string, otherwise: T, isValid: (value: unknown) => value is T): Signal<T> {
  const choice = signal(otherwise);
  try {
    const known: unknown = JSON.parse(localStorage.getItem(`kolaboree.${name}`) ?? 'null');
    if (isValid(known)) choice.value = known;
  } catch {
    // Nothing usable is kept.
  }
  let first = true;
  effect(() => {
    const value = choice.value;
    if (first) {
      first = false;
      return;
    }
    try {
      localStorage.setItem(`kolaboree.${name}`, JSON.stringify(value));
    } catch {
      // A private window may refuse.
    }
  });
  return choice;
}

export function oneOf<T extends string>(...values: T[]) {
  return (value: unknown): value is T => values.includes(value as T);
}

export const theme = kept('theme', 'system', oneOf('system', 'light', 'dark'));

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
