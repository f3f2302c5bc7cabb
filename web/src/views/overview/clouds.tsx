// A card for each cloud: how it is reached, how fast it answers, what it has.
import { ask, asProblem, path } from '../../api/client';
import type { CloudView } from '../../api/types';
import { loadClouds } from '../../app/store';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Spark } from '../../components/spark';
import { Empty } from '../../components/states';
import { Time } from '../../components/time';
import { fail } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { milliseconds } from '../../i18n/format';
import { words } from '../../i18n/overview';

export function Clouds({ clouds }: { clouds: CloudView[] }) {
  const t = words.value;
  return (
    <section class="stack" aria-labelledby="clouds">
      <h2 id="clouds">{t.clouds}</h2>
      {clouds.length === 0 && <Empty icon="cloud" title={t.noClouds} />}
      <div class="cards">
        {clouds.map((cloud) => (
          <CloudCard key={cloud.name} cloud={cloud} />
        ))}
      </div>
    </section>
  );
}

function pathOf(text: string | undefined): string {
  const t = words.value;
  if (!text) return t.pathUnknown;
  if (text.startsWith('direct')) return `${t.direct} (${text.slice('direct '.length)})`;
  return text.startsWith('relay ') ? t.relay(text.slice('relay '.length)) : text;
}

async function check(cloud: CloudView): Promise<void> {
  try {
    await ask('POST', path('clouds', cloud.name, 'check'));
    await loadClouds();
  } catch (error) {
    fail(cloud.name, asProblem(error));
  }
}

function CloudCard({ cloud }: { cloud: CloudView }) {
  const t = words.value;
  const { health, freshness } = cloud;
  const state = freshness?.state ?? (health.reachable ? 'fresh' : 'unreachable');
  const [icon, colour] = { fresh: ['circle-check', 'good'], stale: ['triangle-alert', 'warn'] }[state as string] ?? [
    'circle-x',
    'bad',
  ];
  return (
    <article class="card stack">
      <div class="heading">
        <h3>
          <a href={`/instances?cloud=${encodeURIComponent(cloud.name)}`}>{cloud.name}</a>
        </h3>
        <span class={`status ${colour}`}>
          <Icon name={icon ?? ''} />
          {common.value.states[state]}
        </span>
      </div>
      {state !== 'fresh' && (
        <p class="small">
          {freshness?.problem ?? health.error} <Time at={freshness?.as_of} />
        </p>
      )}
      <dl class="facts small">
        <dt>{t.version}</dt>
        <dd>{health.version ? `${health.server} ${health.version}` : '–'}</dd>
        <dt>{t.path}</dt>
        <dd>{pathOf(health.path)}</dd>
        <dt>{t.answersIn}</dt>
        <dd>{health.api_ms ? milliseconds(health.api_ms) : '–'}</dd>
      </dl>
      {cloud.latencies.length > 1 && <Spark values={cloud.latencies} label={t.latencyOf(cloud.name)} />}
      <div class="row small">
        <span class="chip">
          <Icon name="box" />
          {t.instances(cloud.instances)}
        </span>
        <span class="chip">
          <Icon name="disc" />
          {t.images(cloud.images)}
        </span>
        <span class="grow" />
        <Button kind="plain" icon="refresh-cw" label={`${t.check}: ${cloud.name}`} onClick={() => void check(cloud)} />
      </div>
    </article>
  );
}
