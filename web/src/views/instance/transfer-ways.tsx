// Which way the bytes take between two clouds, and how each of them is reached from here.
import type { Signal } from '@preact/signals';
import type { InstanceRow, NewCopy } from '../../api/types';
import { clouds } from '../../app/store';
import { Icon } from '../../components/icon';
import { words } from '../../i18n/instance-transfer';

export type Mode = NonNullable<NewCopy['mode']>;

const MODES: Mode[] = ['auto', 'pull', 'push', 'relay'];

export function Ways({ row, to, mode }: { row: InstanceRow; to: string; mode: Signal<Mode> }) {
  const t = words.value;
  return (
    <fieldset class="stack ways">
      <legend>{t.way}</legend>
      <div class="row route" aria-hidden="true">
        <span class="chip">
          <Icon name="cloud" />
          {row.cloud}
        </span>
        <Route mode={mode.value} />
        <span class="chip">
          <Icon name="cloud" />
          {to}
        </span>
      </div>
      {MODES.map((one) => (
        <label key={one} class="check">
          <input
            type="radio"
            name="mode"
            value={one}
            checked={mode.value === one}
            onChange={() => {
              mode.value = one;
            }}
          />
          <span>
            {t.modes[one]}
            <span class="quiet small"> {t.modeHints[one](row.cloud, to)}</span>
          </span>
        </label>
      ))}
      <dl class="facts small">
        {[row.cloud, to].map((name) => {
          const health = clouds.value.find((cloud) => cloud.name === name)?.health;
          return (
            <>
              <dt>{t.reached(name)}</dt>
              <dd class="mono">{health?.error ?? health?.path}</dd>
            </>
          );
        })}
      </dl>
    </fieldset>
  );
}

function Route({ mode }: { mode: Mode }) {
  const t = words.value;
  if (mode === 'relay') {
    return (
      <>
        <span>→</span>
        <span class="chip">
          <Icon name="server" />
          {t.thisNode}
        </span>
        <span>→</span>
      </>
    );
  }
  return <span>{mode === 'auto' ? '⇢' : mode === 'pull' ? t.fetches : t.sends}</span>;
}
