// Why what is shown may not be as it is now.
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { moment } from '../../i18n/format';
import { words } from '../../i18n/instance';
import { language } from '../../i18n/language';
import type { Source } from './source';

/** Whether what is shown is from an earlier time. */
export function isOld(source: Source): boolean {
  const state = source.freshness.value?.state;
  return (state !== undefined && state !== 'fresh') || Boolean(source.whole.value?.problem);
}

export function Stale({ source }: { source: Source }) {
  const t = words.value;
  const known = source.freshness.value;
  const told = source.whole.value?.problem ?? source.problem.value?.detail;
  if (!isOld(source) && !source.problem.value) return null;
  const date = known?.state === 'fresh' ? null : moment(known?.as_of);
  const time = date && new Intl.DateTimeFormat(language.value, { timeStyle: 'short' }).format(date);
  const why = known?.problem ?? told ?? common.value.states[known?.state ?? 'stale'];
  return (
    <p class="row notice-line" role="status">
      <Icon name="triangle-alert" class="warn" />
      <span class="grow">{time ? t.asOf(source.key.cloud, time, why) : t.noAnswer(source.key.cloud, why)}</span>
    </p>
  );
}
