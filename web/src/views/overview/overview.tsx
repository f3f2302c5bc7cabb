// How everything is, at one look.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { get, path } from '../../api/client';
import type { Peer } from '../../api/types';
import { clouds, instances, loadClouds, loaded, node, operations, trouble } from '../../app/store';
import { newestFirst, OperationRows } from '../../components/operations';
import { Failure, Loading } from '../../components/states';
import { Status } from '../../components/status';
import { Time } from '../../components/time';
import { count } from '../../i18n/format';
import { words } from '../../i18n/overview';
import { Checklist } from './checks';
import { Clouds } from './clouds';

/** How often what events do not tell is asked for while somebody looks, in milliseconds. */
const PAUSE = 60_000;

/** How many operations are shown. */
const MOST = 8;

export function Overview() {
  const t = words.value;
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void loadClouds().catch(() => {});
    };
    const timer = setInterval(look, PAUSE);
    return () => clearInterval(timer);
  }, []);
  if (loaded.value === 'nothing' && trouble.value) return <Failure problem={trouble.value} />;
  if (!node.value && loaded.value === 'nothing') return <Loading />;
  return (
    <div class="stack">
      <h1>{t.title}</h1>
      <Checklist />
      <Clouds clouds={clouds.value} />
      <div class="cards">
        <Counts />
        <TailnetCard />
      </div>
      <Newest />
    </div>
  );
}

function Counts() {
  const t = words.value;
  const statuses = new Map<string, number>();
  for (const { status } of instances.value.values()) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const sorted = [...statuses].sort(([, a], [, b]) => b - a);
  return (
    <section class="card stack" aria-labelledby="counts">
      <h2 id="counts">{t.counts}</h2>
      <ul>
        {sorted.map(([status, number]) => (
          <li key={status}>
            <a class="count" href={`/instances?status=${encodeURIComponent(status)}`}>
              <Status status={status} />
              <span class="number">{count(number)}</span>
            </a>
          </li>
        ))}
      </ul>
      <p class="quiet small">{t.instances(instances.value.size)}</p>
    </section>
  );
}

function TailnetCard() {
  const t = words.value;
  const peers = useSignal<Peer[] | null>(null);
  useEffect(() => {
    get<Peer[]>(path('node', 'peers')).then(
      (all) => {
        peers.value = all;
      },
      () => {},
    );
  }, [node.value?.state]);
  const now = node.value;
  if (!now) return null;
  const online = peers.value?.filter((peer) => peer.online).length ?? 0;
  return (
    <section class="card stack" aria-labelledby="tailnet">
      <h2 id="tailnet">{t.tailnet}</h2>
      <dl class="facts">
        <dt>{t.tailnet}</dt>
        <dd>{now.tailnet}</dd>
        <dt>{t.name}</dt>
        <dd>{now.this.dns_name || now.this.name}</dd>
        <dt>{t.addresses}</dt>
        <dd class="mono">{now.this.ips.join(', ')}</dd>
        <dt>{t.since}</dt>
        <dd>
          <Time at={Math.round(Date.now() / 1000) - now.uptime} />
        </dd>
        <dt>{t.expires}</dt>
        <dd>
          <Time at={now.key_expires} otherwise={t.never} />
        </dd>
        {now.exit_node && (
          <>
            <dt>{t.exitNode}</dt>
            <dd>{now.exit_node.name ?? now.exit_node.configured}</dd>
          </>
        )}
      </dl>
      {peers.value && <p class="quiet small">{t.peers(count(online), count(peers.value.length))}</p>}
    </section>
  );
}

function Newest() {
  const t = words.value;
  const newest = newestFirst(operations.value.values()).slice(0, MOST);
  return (
    <section class="stack" aria-labelledby="newest">
      <div class="heading">
        <h2 id="newest">{t.newest}</h2>
        <a href="/operations">{t.allOperations}</a>
      </div>
      {newest.length > 0 ? <OperationRows rows={newest} /> : <p class="quiet">{t.nothingYet}</p>}
    </section>
  );
}
