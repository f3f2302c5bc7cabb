// Which clouds' rows are not as they are now, since when, and why.
import { clouds } from '../../app/store';
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { moment } from '../../i18n/format';
import { words } from '../../i18n/instances';
import { language } from '../../i18n/language';

export function Stale() {
  const old = clouds.value.flatMap(({ freshness }) => (freshness && freshness.state !== 'fresh' ? [freshness] : []));
  if (old.length === 0) return null;
  const time = new Intl.DateTimeFormat(language.value, { timeStyle: 'short' });
  return (
    <ul class="stack" role="status">
      {old.map(({ name, as_of, problem, state }) => {
        const date = moment(as_of);
        return (
          <li key={name} class="row small">
            <Icon name="triangle-alert" class="warn" />
            <span class="grow">
              {words.value.stale(
                name,
                date ? time.format(date) : words.value.never,
                problem ?? common.value.states[state],
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
