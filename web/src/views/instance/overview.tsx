// The first tab: what the instance is, where it is reached, what it uses, and what goes on with it.
import { useComputed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { InstanceRow } from '../../api/types';
import { me } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { Icon } from '../../components/icon';
import { newestFirst, OperationRows } from '../../components/operations';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { count } from '../../i18n/format';
import { words } from '../../i18n/instance';
import { addressesOf } from './addresses';
import { operationsOf } from './operations';
import type { Source } from './source';
import { isOld } from './stale';
import { Usage } from './usage';

/** So many operations are shown, the newest. */
const SHOWN = 8;

export function Overview({ source, row }: { source: Source; row: InstanceRow }) {
  const config = source.instance.value?.expanded_config ?? row.config;
  return (
    <div class={isOld(source) ? 'stack dim' : 'stack'}>
      <div class="cards wide">
        <Facts source={source} row={row} />
        <div class="stack">
          <Usage row={row} memoryLimit={config['limits.memory']} />
          <Addresses source={source} row={row} />
          <Links row={row} />
        </div>
      </div>
      <Operations row={row} />
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Facts({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const instance = source.instance.value;
  const types: Record<string, string> = common.value.types;
  const config = instance?.expanded_config ?? row.config;
  const image = config['image.description'] ?? [config['image.os'], config['image.release']].filter(Boolean).join(' ');
  const base = config['volatile.base_image'];
  const snapshots = instance?.snapshots?.length ?? row.snapshots;
  return (
    <section class="card stack">
      <h2>{t.facts}</h2>
      <dl class="facts">
        <Fact name={common.value.type}>
          {types[row.type] ?? row.type}
          {row.ephemeral && <span class="quiet"> · {t.ephemeral}</span>}
        </Fact>
        {(image || base) && (
          <Fact name={t.image}>
            {image} {base && <span class="mono quiet">{base.slice(0, 12)}</span>}
          </Fact>
        )}
        <Fact name={t.profiles}>{row.profiles.join(', ') || common.value.none}</Fact>
        <Fact name={t.limits}>
          {[
            config['limits.cpu'] && t.cpus(config['limits.cpu']),
            config['limits.memory'] && t.memoryOf(config['limits.memory']),
          ]
            .filter(Boolean)
            .join(', ') || common.value.none}
        </Fact>
        <Fact name={t.architecture}>{row.architecture}</Fact>
        {row.pool && <Fact name={t.pool}>{row.pool}</Fact>}
        {row.location && row.location !== 'none' && <Fact name={t.member}>{row.location}</Fact>}
        <Fact name={t.tabs.snapshots}>{snapshots === undefined || snapshots === null ? '' : count(snapshots)}</Fact>
        <Fact name={common.value.created}>
          <Time at={row.created_at} />
        </Fact>
        <Fact name={t.lastStarted}>
          <Time at={row.last_used_at} otherwise={t.neverStarted} />
        </Fact>
        {row.uuid && (
          <Fact name="UUID">
            <span class="mono small">{row.uuid}</span>
          </Fact>
        )}
      </dl>
    </section>
  );
}

function Addresses({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const all = addressesOf(source.instance.value, row);
  return (
    <section class="card stack">
      <h2>{t.addresses}</h2>
      {all.length === 0 ? (
        <p class="quiet">{row.status === 'Stopped' ? t.stopped : t.noAddress}</p>
      ) : (
        <ul class="addresses">
          {all.map(({ device, address, isLocal, hwaddr }) => (
            <li key={`${device} ${address}`} class="row">
              <span class="mono grow">{address || <span class="quiet">{t.noAddress}</span>}</span>
              {isLocal && <span class="chip quiet">{t.linkLocal}</span>}
              <span class="quiet small" title={hwaddr}>
                {device}
              </span>
              {address && <CopyButton text={address} label={t.copyAddress(address)} />}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Links to elsewhere that the node's configuration has, such as to graphs. */
function Links({ row }: { row: InstanceRow }) {
  const filled = Object.entries(me.value?.links ?? {}).map(([name, template]) => {
    const parts: Record<string, string> = { cloud: row.cloud, project: row.project, instance: row.name };
    return [
      name,
      template.replace(/\{(cloud|project|instance)\}/g, (_, part) => encodeURIComponent(parts[part] ?? '')),
    ];
  });
  const links = filled.filter(([, address]) => /^https?:\/\//i.test(address ?? ''));
  if (links.length === 0) return null;
  return (
    <section class="card stack">
      <h2>{words.value.links}</h2>
      <ul class="stack">
        {links.map(([name, address]) => (
          <li key={name}>
            <a class="row" href={address} target="_blank" rel="noreferrer">
              <Icon name="external-link" />
              {name}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Operations({ row }: { row: InstanceRow }) {
  const { cloud, project, name } = row;
  const rows = useComputed(() => newestFirst(operationsOf({ cloud, project, name })).slice(0, SHOWN));
  if (rows.value.length === 0) return null;
  return (
    <section class="stack">
      <h2>{words.value.operations}</h2>
      <OperationRows rows={rows.value} />
    </section>
  );
}
