// The members of the clouds that are clusters.
import type { Member } from '../../api/things';
import { command } from '../../app/commands';
import { may } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { Config, Facts, yesOrNo } from './facts';
import type { Kind } from './kind';
import { type Placed, source } from './load';

const LOOKS: Record<string, [icon: string, colour: string]> = {
  Online: ['circle-check', 'good'],
  Offline: ['circle-x', 'bad'],
  Blocked: ['circle-x', 'bad'],
};

/** The server's own word, with a shape. */
function State({ status = '' }: { status?: string }) {
  const [icon, colour] = LOOKS[status] ?? ['triangle-alert', 'warn'];
  return (
    <span class={`status ${colour}`}>
      <Icon name={icon} />
      {status}
    </span>
  );
}

export const MEMBERS: Kind<Member> = {
  name: 'members',
  icon: 'server',
  source: source(['cluster', 'members']),
  id: ({ server_name }) => server_name,
  title: ({ server_name }) => server_name,
  text: ({ description, roles, message, url }) => `${description} ${roles?.join(' ')} ${message} ${url}`,
  filters: ['cloud'],
  columns: [
    { id: 'status', cell: ({ thing }) => <State status={thing.status} />, key: ({ thing }) => thing.status },
    { id: 'message', cell: ({ thing }) => thing.message, key: ({ thing }) => thing.message },
    { id: 'roles', cell: ({ thing }) => thing.roles?.join(', '), key: ({ thing }) => thing.roles?.join(', ') },
    { id: 'architecture', cell: ({ thing }) => thing.architecture, key: ({ thing }) => thing.architecture },
    { id: 'domain', cell: ({ thing }) => thing.failure_domain, key: ({ thing }) => thing.failure_domain },
  ],
  Detail: About,
  Actions: Edit,
};

function Edit({ row: { cloud, thing } }: { row: Placed<Member> }) {
  if (!may('admin', cloud)) return null;
  return (
    <CopyButton text={command('', 'cluster', 'edit', `${cloud}:${thing.server_name}`)}>
      {words.value.editCommand}
    </CopyButton>
  );
}

function About({ row: { cloud, thing } }: { row: Placed<Member> }) {
  const t = words.value;
  return (
    <>
      <Facts
        facts={[
          [common.value.status, <State key="status" status={thing.status} />],
          [t.columns.message, thing.message],
          [t.columns.roles, thing.roles?.join(', ')],
          [t.facts.database, yesOrNo(thing.database)],
          [t.facts.groups, thing.groups?.join(', ')],
          [t.columns.domain, thing.failure_domain],
          [t.columns.architecture, thing.architecture],
          [t.facts.address, thing.url],
          [common.value.description, thing.description],
        ]}
      />
      <Config config={thing.config} cloud={cloud} />
    </>
  );
}
