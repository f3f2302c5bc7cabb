import { signal } from '@preact/signals';
import { exact, moment, relative } from '../i18n/format';

/** The time by which ages are told; it goes on while somebody looks. */
export const now = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') now.value = Date.now();
}, 15_000);

/** How long ago something was, with the exact time on hover. */
export function Time({ at, otherwise = '' }: { at: string | number | null | undefined; otherwise?: string }) {
  const date = moment(at);
  if (!date) return <>{otherwise}</>;
  return (
    <time dateTime={date.toISOString()} title={exact(date)}>
      {relative(date, Math.max(now.value, Date.now()))}
    </time>
  );
}
