// Projects, which keep things of a cloud apart.
import type { Project } from '../../api/things';
import { command } from '../../app/commands';
import { may } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { count } from '../../i18n/format';
import { words } from '../../i18n/things';
import { Config, Facts, UsedBy, userOf } from './facts';
import type { Kind } from './kind';
import { type Placed, source } from './load';

/** What it has of its own. */
function apart({ config }: Project): string {
  const own = Object.entries(config ?? {}).filter(([key, value]) => key.startsWith('features.') && value === 'true');
  return own.map(([key]) => words.value.features[key.slice(9)] ?? key.slice(9)).join(', ');
}

function instancesOf({ cloud, thing }: Placed<Project>): number {
  return (thing.used_by ?? []).filter((address) => userOf(cloud, address).kind === 'instances').length;
}

export const PROJECTS: Kind<Project> = {
  name: 'projects',
  icon: 'layers',
  source: source(['projects']),
  id: ({ name }) => name,
  title: ({ name }) => name,
  text: ({ description }) => description ?? '',
  filters: ['cloud'],
  columns: [
    { id: 'description', cell: ({ thing }) => thing.description, key: ({ thing }) => thing.description },
    { id: 'apart', cell: ({ thing }) => apart(thing), key: ({ thing }) => apart(thing) },
    { id: 'instances', number: true, cell: (row) => count(instancesOf(row)), key: instancesOf },
  ],
  Detail: About,
  Actions,
};

function Actions({ row: { cloud, thing } }: { row: Placed<Project> }) {
  const t = words.value;
  const query = new URLSearchParams({ cloud, project: thing.name });
  return (
    <>
      <a class="button" href={`/instances?${query}`}>
        <Icon name="box" />
        {t.showInstances}
      </a>
      {may('edit', cloud, thing.name) && (
        <CopyButton text={command('', 'project', 'edit', `${cloud}:${thing.name}`)}>{t.editCommand}</CopyButton>
      )}
    </>
  );
}

function About({ row: { cloud, thing } }: { row: Placed<Project> }) {
  const t = words.value;
  const limits = Object.entries(thing.config ?? {}).filter(([key]) => key.startsWith('limits.'));
  return (
    <>
      <Facts
        facts={[
          [common.value.description, thing.description],
          [t.columns.apart, apart(thing)],
          [t.facts.limits, limits.map(([key, value]) => `${key.slice(7)}: ${value}`).join(', ')],
        ]}
      />
      <Config config={thing.config} cloud={cloud} project={thing.name} />
      <UsedBy cloud={cloud} addresses={thing.used_by} />
    </>
  );
}
