// Short messages at the edge. What went well goes by itself; a failure stays until it is dismissed.
import { signal } from '@preact/signals';
import type { Problem } from '../api/types';
import { words } from '../i18n/common';
import { Button } from './button';
import { Icon } from './icon';

type Toast = { key: number; text: string; problem?: Problem };

const toasts = signal<Toast[]>([]);
let keys = 0;

/** How long a message stays, in milliseconds. */
const STAY = 5_000;

export function say(text: string): void {
  const key = ++keys;
  toasts.value = [...toasts.value.slice(-4), { key, text }];
  setTimeout(() => dismiss(key), STAY);
}

export function fail(text: string, problem: Problem): void {
  toasts.value = [...toasts.value, { key: ++keys, text, problem }];
}

function dismiss(key: number): void {
  toasts.value = toasts.value.filter((toast) => toast.key !== key);
}

export function Toasts() {
  return (
    <section class="toasts" aria-live="polite" aria-label={words.value.messages}>
      {toasts.value.map(({ key, text, problem }) => (
        <div key={key} class={problem ? 'toast bad' : 'toast'}>
          <Icon name={problem ? 'circle-alert' : 'circle-check'} class={problem ? 'bad' : 'good'} />
          <div class="grow">
            <div>{text}</div>
            {problem && <div class="small">{problem.detail}</div>}
            {problem?.remedy && <div class="small quiet">{problem.remedy}</div>}
          </div>
          <Button kind="plain" icon="x" label={words.value.dismiss} onClick={() => dismiss(key)} />
        </div>
      ))}
    </section>
  );
}
