// Storage pools, and the volumes that are in them.
import type { Pool, Volume } from '../../api/things';
import { command } from '../../app/commands';
import { may } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { Loading } from '../../components/states';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { Config, countOf, Facts, UsedBy, userOf } from './facts';
import type { Kind } from './kind';
import { type Placed, source, useThings } from './load';
import { Troubles } from './troubles';

export const STORAGE: Kind<Pool> = {
  name: 'storage',
  icon: 'hard-drive',
  source: source(['storage-pools']),
  id: ({ name }) => name,
  title: ({ name }) => name,
  text: ({ description, driver, config }) => `${description} ${driver} ${config?.source ?? ''}`,
  filters: ['cloud'],
  columns: [
    { id: 'driver', cell: ({ thing }) => thing.driver, key: ({ thing }) => thing.driver },
    { id: 'status', cell: ({ thing }) => thing.status, key: ({ thing }) => thing.status },
    { id: 'size', cell: ({ thing }) => thing.config?.size, key: ({ thing }) => thing.config?.size },
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

function Commands({ row: { cloud, thing } }: { row: Placed<Pool> }) {
  const t = words.value;
  const name = `${cloud}:${thing.name}`;
  return (
    <>
      <CopyButton text={command('', 'storage', 'info', name)}>{t.infoCommand}</CopyButton>
      {may('admin', cloud) && <CopyButton text={command('', 'storage', 'edit', name)}>{t.editCommand}</CopyButton>}
    </>
  );
}

function About({ row: { cloud, thing } }: { row: Placed<Pool> }) {
  const t = words.value;
  return (
    <>
      <Facts
        facts={[
          [common.value.description, thing.description],
          [t.columns.driver, thing.driver],
          [common.value.status, thing.status],
          [common.value.size, thing.config?.size],
          [t.columns.source, thing.config?.source],
          [t.facts.locations, thing.locations?.filter((name) => name !== 'none').join(', ')],
        ]}
      />
      <Volumes cloud={cloud} pool={thing.name} />
      <Config config={thing.config} cloud={cloud} />
      <UsedBy cloud={cloud} addresses={thing.used_by} />
    </>
  );
}

const VOLUMES = source<Volume>(['volumes'], '');

function Volumes({ cloud, pool }: { cloud: string; pool: string }) {
  const t = words.value;
  useThings(VOLUMES);
  const list = VOLUMES.lists.value.get(cloud);
  const rows = (list?.rows ?? []).filter(({ thing }) => thing.pool === pool);
  return (
    <section class="stack">
      <h2>{t.volumes}</h2>
      <Troubles from={VOLUMES} only={cloud} />
      {rows.length === 0 ? (
        list?.loading || !list ? (
          <Loading />
        ) : (
          !list.problem && <p class="quiet">{t.noVolumes}</p>
        )
      ) : (
        <div class="table-scroll">
          <table class="table instances things">
            <caption class="sr-only">{t.volumes}</caption>
            <thead>
              <tr>
                <th scope="col">{t.columns.name}</th>
                <th scope="col">{t.columns.project}</th>
                <th scope="col">{t.columns.type}</th>
                <th scope="col">{t.facts.content}</th>
                <th scope="col">{t.columns.size}</th>
                <th scope="col">{t.facts.created}</th>
                <th scope="col">{t.columns.users}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ project, thing }) => (
                <tr key={`${project}/${thing.type}/${thing.name}`}>
                  <th class="name-cell" scope="row">
                    {thing.name}
                  </th>
                  <td data-label={t.columns.project}>{project}</td>
                  <td data-label={t.columns.type}>{thing.type}</td>
                  <td data-label={t.facts.content}>{thing.content_type}</td>
                  <td data-label={t.columns.size}>{thing.config?.size}</td>
                  <td data-label={t.facts.created}>
                    <Time at={thing.created_at} />
                  </td>
                  <td data-label={t.columns.users}>
                    <Users cloud={cloud} addresses={thing.used_by ?? []} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** No more are named in a row. */
const FEW = 3;

function Users({ cloud, addresses }: { cloud: string; addresses: string[] }) {
  return (
    <>
      {addresses.slice(0, FEW).map((address, at) => {
        const { name, href } = userOf(cloud, address);
        return (
          <span key={address}>
            {at > 0 && ', '}
            {href ? <a href={href}>{name}</a> : name}
          </span>
        );
      })}
      {addresses.length > FEW && <span class="quiet"> {words.value.andMore(addresses.length - FEW)}</span>}
    </>
  );
}
