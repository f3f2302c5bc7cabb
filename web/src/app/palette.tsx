// Ctrl-K: goes to an instance, a cloud or a view by a part of its name. And the list of keys.
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { Dialog, show } from '../components/dialog';
import { Icon } from '../components/icon';
import { words } from '../i18n/shell';
import { go, to } from './router';
import { clouds, instances } from './store';

type Target = { icon: string; name: string; more: string; address: string };

/** No more are shown. */
const MOST = 12;

export function showPalette(): void {
  show((close) => <Palette close={close} />);
}

export function showKeys(): void {
  show((close) => {
    const t = words.value;
    return (
      <Dialog title={t.keys} close={close}>
        <dl class="facts">
          {t.keyList.map(([key, what]) => (
            <>
              <dt>
                <kbd class="mono">{key}</kbd>
              </dt>
              <dd>{what}</dd>
            </>
          ))}
        </dl>
      </Dialog>
    );
  });
}

function find(text: string): Target[] {
  const wanted = text.trim().toLowerCase();
  const found: Target[] = [];
  const fits = (name: string) => name.toLowerCase().includes(wanted);
  for (const [id, name] of Object.entries(words.value.views)) {
    if (fits(name)) found.push({ icon: 'layout-dashboard', name, more: '', address: id === 'overview' ? '/' : to(id) });
  }
  for (const { name } of clouds.value) {
    if (fits(name))
      found.push({ icon: 'cloud', name, more: '', address: `/instances?cloud=${encodeURIComponent(name)}` });
  }
  if (!wanted) return found;
  for (const row of instances.value.values()) {
    if (found.length >= MOST) break;
    if (fits(row.name)) {
      const more = `${row.cloud} / ${row.project}`;
      found.push({ icon: 'box', name: row.name, more, address: to('instances', row.cloud, row.project, row.name) });
    }
  }
  return found;
}

function Palette({ close }: { close: () => void }) {
  const t = words.value;
  const text = useSignal('');
  const at = useSignal(0);
  const id = useId();
  const found = find(text.value).slice(0, MOST);
  const follow = (target: Target | undefined) => {
    if (!target) return;
    close();
    go(target.address);
  };
  return (
    <Dialog title={t.searchAll} close={close} submit={() => follow(found[at.value])}>
      <input
        class="input"
        type="text"
        role="combobox"
        list={undefined}
        autocomplete="off"
        placeholder={t.searchHint}
        aria-label={t.searchHint}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found[at.value] ? `${id}-${at.value}` : undefined}
        autofocus
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (!step || found.length === 0) return;
          event.preventDefault();
          at.value = (at.value + step + found.length) % found.length;
        }}
      />
      <div id={id} role="listbox" aria-label={t.searchAll}>
        {found.map((target, number) => (
          <div
            key={target.address}
            id={`${id}-${number}`}
            role="option"
            tabIndex={-1}
            aria-selected={number === at.value}
            class={number === at.value ? 'row palette chosen' : 'row palette'}
            onClick={() => follow(target)}
            onKeyDown={(event) => event.key === 'Enter' && follow(target)}
          >
            <Icon name={target.icon} />
            <span>{target.name}</span>
            <span class="quiet small">{target.more}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p class="quiet" role="status">
          {t.nothingFound}
        </p>
      )}
    </Dialog>
  );
}
