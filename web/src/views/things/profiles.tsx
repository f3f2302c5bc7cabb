// Profiles, which instances share settings by.
import type { Profile } from '../../api/things';
import { command } from '../../app/commands';
import { may } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { Config, countOf, DeviceList, Facts, UsedBy } from './facts';
import type { Kind } from './kind';
import { type Placed, source } from './load';

function about({ devices }: Profile): string {
  return Object.entries(devices ?? {})
    .map(([name, { type }]) => (type && type !== name ? `${name} (${type})` : name))
    .join(', ');
}

export const PROFILES: Kind<Profile> = {
  name: 'profiles',
  icon: 'sliders-horizontal',
  source: source(['profiles'], 'features.profiles'),
  id: ({ name }) => name,
  title: ({ name }) => name,
  text: (profile) => `${profile.description} ${about(profile)}`,
  filters: ['cloud', 'project'],
  columns: [
    { id: 'description', cell: ({ thing }) => thing.description, key: ({ thing }) => thing.description },
    { id: 'devices', cell: ({ thing }) => about(thing), key: ({ thing }) => about(thing) },
    {
      id: 'users',
      number: true,
      cell: ({ thing }) => countOf(thing.used_by),
      key: ({ thing }) => thing.used_by?.length ?? 0,
    },
  ],
  Detail: About,
  Actions: Edit,
};

function Edit({ row: { cloud, project, thing } }: { row: Placed<Profile> }) {
  if (!may('edit', cloud, project)) return null;
  return (
    <CopyButton text={command(project, 'profile', 'edit', `${cloud}:${thing.name}`)}>
      {words.value.editCommand}
    </CopyButton>
  );
}

function About({ row: { cloud, project, thing } }: { row: Placed<Profile> }) {
  return (
    <>
      <Facts facts={[[common.value.description, thing.description]]} />
      <Config config={thing.config} cloud={cloud} project={project} />
      <DeviceList devices={thing.devices} />
      <UsedBy cloud={cloud} addresses={thing.used_by} />
    </>
  );
}
