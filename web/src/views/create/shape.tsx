// How large an instance is, and what it takes of its cloud: profiles, a network, a pool.
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { words } from '../../i18n/create';
import type { Section } from './create';
import { Check, Choice, More, Text } from './fields';
import { inherited, resourcesOf, rootOf, usableNetworks } from './resources';

const SIZES = {
  cpu: ['1', '2', '4', '8'],
  memory: ['512MiB', '1GiB', '2GiB', '4GiB', '8GiB'],
  disk: ['5GiB', '10GiB', '20GiB', '50GiB', '100GiB'],
};

export function Size({ draft, change, errors }: Section) {
  const t = words.value;
  const resources = resourcesOf(draft.where);
  const profiles = draft.profiles ?? [];
  const before = draft.profiles ? t.asProfiles : t.asSource;
  const disk = rootOf(resources, profiles)?.[1].size;
  return (
    <section class="card stack">
      <h2>{t.size}</h2>
      <div class="columns">
        <Text
          label={t.cpu}
          name="cpu"
          value={draft.cpu}
          error={errors.cpu}
          hint={t.cpuHint}
          placeholder={inherited(resources, profiles, 'limits.cpu') || before}
          choices={SIZES.cpu}
          change={(cpu) => change({ cpu })}
        />
        <Text
          label={t.memory}
          name="memory"
          value={draft.memory}
          error={errors.memory}
          hint={t.memoryHint}
          placeholder={inherited(resources, profiles, 'limits.memory') || before}
          choices={SIZES.memory}
          change={(memory) => change({ memory })}
        />
        <Text
          label={t.disk}
          name="disk"
          value={draft.disk}
          error={errors.disk}
          hint={t.diskHint}
          placeholder={disk || before}
          choices={SIZES.disk}
          change={(disk) => change({ disk })}
        />
      </div>
    </section>
  );
}

export function Place({ draft, change, errors }: Section) {
  const t = words.value;
  const resources = resourcesOf(draft.where);
  const isCopy = draft.origin === 'copy';
  const before = draft.profiles ? t.asProfiles : t.asSource;
  const named = (things: { name: string }[], chosen: string): [string, string][] => {
    const names = things.map(({ name }) => name);
    // One that this cloud lacks stays to be seen, with what is wrong with it.
    const all = chosen && !names.includes(chosen) ? [...names, chosen] : names;
    return [['', before], ...all.map((name): [string, string] => [name, name])];
  };
  return (
    <section class="card stack">
      <h2>{t.place}</h2>
      {isCopy && (
        <Check
          label={t.keepProfiles}
          value={draft.profiles === null}
          change={(keep) => change({ profiles: keep ? null : ['default'] })}
        />
      )}
      {draft.profiles && (
        <Profiles
          chosen={draft.profiles}
          known={resources?.profiles.map(({ name }) => name) ?? []}
          error={errors.profiles}
          change={(profiles) => change({ profiles })}
        />
      )}
      <div class="columns">
        {!isCopy && (
          <Choice
            label={t.network}
            name="network"
            value={draft.network}
            choices={named(usableNetworks(resources), draft.network)}
            error={errors.network}
            change={(network) => change({ network })}
          />
        )}
        <Choice
          label={t.pool}
          name="pool"
          value={draft.pool}
          choices={named(resources?.pools ?? [], draft.pool)}
          error={errors.pool}
          change={(pool) => change({ pool })}
        />
      </div>
    </section>
  );
}

type ProfilesProps = {
  chosen: string[];
  known: string[];
  error?: string;
  change: (profiles: string[]) => void;
};

function Profiles({ chosen, known, error, change }: ProfilesProps) {
  const t = words.value;
  const rest = known.filter((name) => !chosen.includes(name));
  const swap = (at: number, by: number) => {
    const next = [...chosen];
    next.splice(at + by, 0, ...next.splice(at, 1));
    change(next);
  };
  return (
    <fieldset class="field" aria-invalid={error ? true : undefined} tabIndex={error ? -1 : undefined}>
      <legend class="label">{t.profiles}</legend>
      {chosen.length === 0 && <p class="quiet">{t.noProfiles}</p>}
      <ol class="profiles">
        {chosen.map((name, at) => (
          <li key={name} class="row">
            <Icon name="sliders-horizontal" />
            <span class="grow mono">{name}</span>
            <Button kind="plain" icon="arrow-up" label={t.up(name)} disabled={at === 0} onClick={() => swap(at, -1)} />
            <Button
              kind="plain"
              icon="arrow-down"
              label={t.down(name)}
              disabled={at === chosen.length - 1}
              onClick={() => swap(at, 1)}
            />
            <Button
              kind="plain"
              icon="x"
              label={t.takeOff(name)}
              onClick={() => change(chosen.filter((one) => one !== name))}
            />
          </li>
        ))}
      </ol>
      {rest.length > 0 && (
        <select
          class="select"
          aria-label={t.addProfile}
          value=""
          onChange={(event) => {
            const name = event.currentTarget.value;
            event.currentTarget.value = '';
            if (name) change([...chosen, name]);
          }}
        >
          <option value="">{t.addProfile}</option>
          {rest.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
      <More error={error} hint={chosen.length > 1 ? t.profilesHint : undefined} />
    </fieldset>
  );
}
