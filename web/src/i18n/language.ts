// The language of the page, and dictionaries: a text that one language has and the other has not does not compile.
import { computed, effect, type ReadonlySignal } from '@preact/signals';
import { kept, oneOf } from '../app/settings';

type Language = 'en' | 'es';

const preferred: Language = navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en';

export const language = kept<Language>('language', preferred, oneOf('en', 'es'));

effect(() => {
  document.documentElement.lang = language.value;
});

/** The same shape with any texts. */
type Same<T> = T extends string
  ? string
  : T extends (...given: infer A) => string
    ? (...given: A) => string
    : T extends readonly unknown[]
      ? T
      : { [K in keyof T]: Same<T[K]> };

/** The texts of a view in the language that is chosen. */
export function dictionary<T>(en: T, es: Same<T>): ReadonlySignal<Same<T>> {
  return computed(() => (language.value === 'es' ? es : (en as Same<T>)));
}
