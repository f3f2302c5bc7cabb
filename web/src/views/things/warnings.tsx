// What the servers of the clouds warn of.
import type { Warning } from '../../api/things';
import { command } from '../../app/commands';
import { may } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { Icon } from '../../components/icon';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { count } from '../../i18n/format';
import { words } from '../../i18n/things';
import { Facts, userOf } from './facts';
import type { Kind } from './kind';
import { type Placed, source } from './load';

const LOOKS: Record<string, [icon: string, colour: string]> = {
  low: ['info', 'quiet'],
  moderate: ['triangle-alert', 'warn'],
  high: ['circle-alert', 'bad'],
};

const RANKS = ['low', 'moderate', 'high'];

function Severity({ severity }: { severity: string }) {
  const [icon, colour] = LOOKS[severity] ?? ['triangle-alert', 'warn'];
  return (
    <span class={`status ${colour}`}>
      <Icon name={icon} />
      {words.value.severities[severity] ?? severity}
    </span>
  );
}

export const WARNINGS: Kind<Warning> = {
  name: 'warnings',
  icon: 'triangle-alert',
  source: source(['warnings']),
  id: ({ uuid }) => uuid,
  title: ({ type }) => type,
  text: ({ last_message, project, location, status }) => `${last_message} ${project} ${location} ${status}`,
  filters: ['cloud', 'severity'],
  order: '-severity',
  columns: [
    {
      id: 'severity',
      cell: ({ thing }) => <Severity severity={thing.severity} />,
      key: ({ thing }) => thing.severity,
      rank: ({ thing }) => RANKS.indexOf(thing.severity),
    },
    { id: 'message', cell: ({ thing }) => thing.last_message, key: ({ thing }) => thing.last_message },
    {
      id: 'count',
      number: true,
      cell: ({ thing }) => count(thing.count ?? 1),
      key: ({ thing }) => thing.count ?? 1,
    },
    { id: 'seen', cell: ({ thing }) => <Time at={thing.last_seen_at} />, key: ({ thing }) => thing.last_seen_at },
    {
      id: 'status',
      cell: ({ thing }) => words.value.warningStates[thing.status] ?? thing.status,
      key: ({ thing }) => thing.status,
    },
  ],
  Detail: About,
  Actions: Acknowledge,
};

function Acknowledge({ row: { cloud, thing } }: { row: Placed<Warning> }) {
  if (thing.status !== 'new' || !may('admin', cloud)) return null;
  return (
    <CopyButton text={command('', 'warning', 'acknowledge', `${cloud}:${thing.uuid}`)}>
      {words.value.acknowledgeCommand}
    </CopyButton>
  );
}

function About({ row: { cloud, thing } }: { row: Placed<Warning> }) {
  const t = words.value;
  const { kind, name, href } = userOf(cloud, thing.entity_url ?? '');
  return (
    <Facts
      facts={[
        [t.columns.severity, <Severity key="severity" severity={thing.severity} />],
        [t.columns.message, thing.last_message],
        [common.value.status, t.warningStates[thing.status] ?? thing.status],
        [t.columns.count, count(thing.count ?? 1)],
        [t.facts.first, <Time key="first" at={thing.first_seen_at} />],
        [t.columns.seen, <Time key="last" at={thing.last_seen_at} />],
        [
          t.facts.about,
          thing.entity_url && href ? (
            <a key="about" href={href}>
              {t.kinds[kind]}: {name}
            </a>
          ) : (
            thing.entity_url
          ),
        ],
        [common.value.project, thing.project],
        [t.columns.location, thing.location === 'none' ? '' : thing.location],
      ]}
    />
  );
}
