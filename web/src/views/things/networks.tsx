// Networks, those that a server manages and those that it finds.
import type { Network } from '../../api/things';
import { command } from '../../app/commands';
import { may } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { Config, countOf, Facts, UsedBy, yesOrNo } from './facts';
import type { Kind } from './kind';
import { type Placed, source } from './load';

function addressOf(version: 'ipv4' | 'ipv6', { config }: Network): string {
  const address = config?.[`${version}.address`] ?? '';
  return address === 'none' ? '' : address;
}

export const NETWORKS: Kind<Network> = {
  name: 'networks',
  icon: 'network',
  source: source(['networks'], 'features.networks'),
  id: ({ name }) => name,
  title: ({ name }) => name,
  text: ({ description, type, config }) => `${description} ${type} ${Object.values(config ?? {}).join(' ')}`,
  filters: ['cloud', 'project', 'type'],
  columns: [
    { id: 'type', cell: ({ thing }) => thing.type, key: ({ thing }) => thing.type },
    { id: 'managed', cell: ({ thing }) => yesOrNo(thing.managed), key: ({ thing }) => (thing.managed ? 0 : 1) },
    ...(['ipv4', 'ipv6'] as const).map((version) => ({
      id: version,
      cell: ({ thing }: Placed<Network>) => <span class="mono">{addressOf(version, thing)}</span>,
      key: ({ thing }: Placed<Network>) => addressOf(version, thing),
    })),
    { id: 'status', cell: ({ thing }) => thing.status, key: ({ thing }) => thing.status },
    {
      id: 'users',
      number: true,
      cell: ({ thing }) => countOf(thing.used_by),
      key: ({ thing }) => thing.used_by?.length ?? 0,
    },
    { id: 'description', cell: ({ thing }) => thing.description, key: ({ thing }) => thing.description },
  ],
  Detail: About,
  Actions: Commands,
};

function Commands({ row: { cloud, project, thing } }: { row: Placed<Network> }) {
  const t = words.value;
  const name = `${cloud}:${thing.name}`;
  if (!thing.managed) return null;
  return (
    <>
      <CopyButton text={command(project, 'network', 'list-leases', name)}>{t.leasesCommand}</CopyButton>
      {may('edit', cloud, project) && (
        <CopyButton text={command(project, 'network', 'edit', name)}>{t.editCommand}</CopyButton>
      )}
    </>
  );
}

function About({ row: { cloud, project, thing } }: { row: Placed<Network> }) {
  const t = words.value;
  return (
    <>
      <Facts
        facts={[
          [common.value.description, thing.description],
          [common.value.type, thing.type],
          [t.columns.managed, yesOrNo(thing.managed)],
          [common.value.status, thing.status],
          [t.columns.ipv4, addressOf('ipv4', thing)],
          [t.columns.ipv6, addressOf('ipv6', thing)],
          [t.facts.locations, thing.locations?.filter((name) => name !== 'none').join(', ')],
        ]}
      />
      <Config config={thing.config} cloud={cloud} project={project} />
      <UsedBy cloud={cloud} addresses={thing.used_by} />
    </>
  );
}
