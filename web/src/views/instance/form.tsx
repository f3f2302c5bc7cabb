// The common settings, each with what the profiles say where the instance says nothing.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, path } from '../../api/client';
import type { InstanceRow } from '../../api/types';
import { Button } from '../../components/button';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-settings';
import type { Draft } from './draft';
import type { Source } from './source';

type Key = keyof typeof words.value.keys;

const TEXTS: Key[] = ['limits.cpu', 'limits.memory'];
const SWITCHES: Key[] = ['boot.autostart', 'security.protection.delete'];
const OF_CONTAINERS: Key[] = ['security.nesting', 'security.privileged'];
const OF_MACHINES: Key[] = ['security.secureboot'];

/** What holds where the instance has no setting of its own, as far as that is known. */
function inherited(source: Source, key: string): string | undefined {
  const instance = source.instance.value;
  return instance?.config?.[key] === undefined ? instance?.expanded_config?.[key] : undefined;
}

export function Form({ source, row, mayEdit }: { source: Source; row: InstanceRow; mayEdit: boolean }) {
  const t = words.value;
  const { draft } = source;
  const mine = draft.mine.value;
  if (!mine) return null;
  const switches = [...SWITCHES, ...(row.type === 'virtual-machine' ? OF_MACHINES : OF_CONTAINERS)];
  return (
    <fieldset class="card stack" disabled={!mayEdit}>
      <legend class="sr-only">{t.shapes.form}</legend>
      <label class="field">
        <span class="label">{common.value.description}</span>
        <input
          class="input"
          autocomplete="off"
          value={mine.description}
          onInput={({ currentTarget: { value } }) =>
            draft.change((settings) => {
              settings.description = value;
            })
          }
        />
      </label>
      <div class="form-grid">
        {TEXTS.map((key) => (
          <label key={key} class="field">
            <span class="label">{t.keys[key]}</span>
            <input
              class="input"
              autocomplete="off"
              spellcheck={false}
              placeholder={inherited(source, key) ?? t.unlimited}
              value={mine.config[key] ?? ''}
              onInput={({ currentTarget: { value } }) => draft.set(key, value || undefined)}
            />
            <Hint name={key} />
          </label>
        ))}
        {switches.map((key) => (
          <Switch key={key} name={key} source={source} />
        ))}
      </div>
      <Profiles draft={draft} row={row} mayEdit={mayEdit} />
    </fieldset>
  );
}

function Hint({ name }: { name: Key }) {
  const hints: Partial<Record<Key, string>> = words.value.hints;
  return (
    <span class="quiet small">
      <code>{name}</code> {hints[name]}
    </span>
  );
}

function Switch({ name, source }: { name: Key; source: Source }) {
  const t = words.value;
  const { draft } = source;
  const given = inherited(source, name);
  const yesNo = (value: string | undefined) =>
    value === undefined ? t.serverDefault : value === 'true' ? common.value.yes : common.value.no;
  return (
    <label class="field">
      <span class="label">{t.keys[name]}</span>
      <select
        class="select"
        value={draft.mine.value?.config[name] ?? ''}
        onChange={({ currentTarget: { value } }) => draft.set(name, value || undefined)}
      >
        <option value="">{given === undefined ? yesNo(given) : t.fromProfiles(yesNo(given))}</option>
        <option value="true">{common.value.yes}</option>
        <option value="false">{common.value.no}</option>
      </select>
      <Hint name={name} />
    </label>
  );
}

function Profiles({ draft, row, mayEdit }: { draft: Draft; row: InstanceRow; mayEdit: boolean }) {
  const t = words.value;
  const all = useSignal<string[]>([]);
  useEffect(() => {
    get<{ name: string }[]>(path('clouds', row.cloud, 'projects', row.project, 'profiles')).then(
      (profiles) => {
        all.value = profiles.map(({ name }) => name);
      },
      () => {}, // What the instance has is known all the same.
    );
  }, [row.cloud, row.project]);
  const has = draft.mine.value?.profiles ?? [];
  const put = (profiles: string[]) =>
    draft.change((settings) => {
      settings.profiles = profiles;
    });
  const left = all.value.filter((name) => !has.includes(name));
  return (
    <fieldset class="field">
      <legend>{t.profiles}</legend>
      <ol class="row">
        {has.map((name, at) => (
          <li key={name} class="chip profile">
            {name}
            {mayEdit && at > 0 && (
              <Button
                kind="plain"
                icon="arrow-up"
                label={t.earlier(name)}
                onClick={() => put([...has.slice(0, at - 1), name, has[at - 1] ?? '', ...has.slice(at + 1)])}
              />
            )}
            {mayEdit && (
              <Button
                kind="plain"
                icon="x"
                label={t.removeProfile(name)}
                onClick={() => put(has.filter((one) => one !== name))}
              />
            )}
          </li>
        ))}
        {has.length === 0 && <li class="quiet">{common.value.none}</li>}
        {mayEdit && left.length > 0 && (
          <li>
            <select
              class="select"
              aria-label={t.addProfile}
              value=""
              onChange={({ currentTarget }) => {
                put([...has, currentTarget.value]);
                currentTarget.value = '';
              }}
            >
              <option value="">{t.addProfile}</option>
              {left.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          </li>
        )}
      </ol>
      <span class="quiet small">{t.profilesOrder}</span>
    </fieldset>
  );
}
