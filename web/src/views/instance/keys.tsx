// All keys of the configuration: the instance's own, and those of its profiles.
import { useSignal } from '@preact/signals';
import type { InstanceRow } from '../../api/types';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog, show } from '../../components/dialog';
import { Menu } from '../../components/menu';
import { SearchField } from '../../components/search-field';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-settings';
import { commandFor } from './commands';
import type { Draft } from './draft';
import { Text } from './fields';
import { isVolatile } from './settings';
import type { Source } from './source';

type Entry = { key: string; value: string; origin: 'own' | 'profile' | 'server' };

function entries(source: Source, row: InstanceRow): Entry[] {
  const own = source.draft.mine.value?.config;
  const whole = source.instance.value?.expanded_config ?? row.config;
  const was = source.instance.value?.config ?? {};
  const all = new Map<string, Entry>();
  for (const [key, value] of Object.entries(whole)) {
    // What the draft has unset is no longer the instance's own.
    if (own && key in was && !(key in own)) continue;
    all.set(key, { key, value, origin: 'profile' });
  }
  for (const [key, value] of Object.entries(own ?? {})) all.set(key, { key, value, origin: 'own' });
  for (const [key, entry] of all) if (isVolatile(key)) all.set(key, { ...entry, origin: 'server' });
  return [...all.values()].sort((a, b) => a.key.localeCompare(b.key));
}

export function Keys({ source, row, mayEdit }: { source: Source; row: InstanceRow; mayEdit: boolean }) {
  const t = words.value;
  const text = useSignal('');
  const { draft } = source;
  const wanted = text.value.trim().toLowerCase();
  const found = entries(source, row).filter(({ key, value }) => `${key}\n${value}`.toLowerCase().includes(wanted));
  const edit = (key: string, value: string) =>
    show((close) => <SetKey draft={draft} row={row} given={key} value={value} close={close} />);
  return (
    <div class="stack">
      <search class="filters no-print">
        <SearchField
          label={t.searchKeys}
          value={text.value}
          onChange={(typed) => {
            text.value = typed;
          }}
        />
        <span class="grow" />
        {mayEdit && (
          <Button icon="plus" onClick={() => edit('', '')}>
            {t.setKey}
          </Button>
        )}
      </search>
      {found.length === 0 ? (
        <p class="quiet" role="status">
          {t.noKeys}
        </p>
      ) : (
        <div class="table-scroll">
          <table class="table stacked">
            <caption class="sr-only">{t.shapes.keys}</caption>
            <thead>
              <tr>
                <th scope="col">{t.key}</th>
                <th scope="col">{t.value}</th>
                <th scope="col">{t.from}</th>
                <th scope="col">
                  <span class="sr-only">{common.value.actions}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.map(({ key, value, origin }) => (
                <tr key={key}>
                  <th scope="row" class="mono">
                    {key}
                  </th>
                  <td class="mono value">{value}</td>
                  <td class="quiet small">{t.origins[origin]}</td>
                  <td class="actions">
                    <Menu
                      kind="plain"
                      icon="ellipsis"
                      label={`${common.value.actions}: ${key}`}
                      disabled={!mayEdit}
                      choices={[
                        {
                          label: origin === 'profile' ? t.override : t.edit,
                          icon: 'pencil',
                          run: () => edit(key, value),
                        },
                        {
                          label: t.unset,
                          icon: 'trash-2',
                          danger: true,
                          disabled: origin === 'profile',
                          run: () => draft.set(key, undefined),
                        },
                      ]}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}

type SetProps = { draft: Draft; row: InstanceRow; given: string; value: string; close: () => void };

/** Asks for a key's value. It is saved with the rest of the draft. */
function SetKey({ draft, row, given, value: before, close }: SetProps) {
  const t = words.value;
  const key = useSignal(given);
  const value = useSignal(before);
  const ready = /^[^\s=]+$/.test(key.value);
  const change = () => {
    if (!ready) return;
    draft.set(key.value, value.value);
    close();
  };
  const told = commandFor(row, [{ place: ['config', key.value || 'KEY'], after: value.value }]);
  return (
    <Dialog
      title={given || t.setKey}
      close={close}
      submit={change}
      actions={
        <>
          <CopyButton text={told}>{common.value.copyCommand}</CopyButton>
          <span class="grow" />
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" disabled={!ready}>
            {t.take}
          </Button>
        </>
      }
    >
      {!given && <Text label={t.key} value={key} placeholder="user.role" focus />}
      <label class="field">
        <span class="label">{t.value}</span>
        <textarea
          class="textarea"
          rows={before.includes('\n') ? 12 : 3}
          spellcheck={false}
          value={value.value}
          onInput={(event) => {
            value.value = event.currentTarget.value;
          }}
        />
      </label>
    </Dialog>
  );
}
