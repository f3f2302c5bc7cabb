// One instance: what it is, how it is, and what can be done with it, in tabs.
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { asProblem } from '../../api/client';
import type { InstanceRow } from '../../api/types';
import { to } from '../../app/router';
import { useTitle } from '../../app/title';
import { Empty, Failure, Loading } from '../../components/states';
import { words } from '../../i18n/instance';
import { Gone } from './gone';
import { Header } from './header';
import { Here } from './here';
import { Overview } from './overview';
import { type Source, useSource } from './source';
import { Stale } from './stale';

type Tab = keyof typeof words.value.tabs;
type View = ComponentType<{ source: Source; row: InstanceRow }>;

/** Tabs that are loaded when they are asked for. */
const LOADERS: Record<Exclude<Tab, 'overview'>, () => Promise<View>> = {
  configuration: async () => (await import('./configuration')).Configuration,
  devices: async () => (await import('./devices')).Devices,
  snapshots: async () => (await import('./snapshots')).Snapshots,
  backups: async () => (await import('./backups')).Backups,
  logs: async () => (await import('./logs')).Logs,
  terminal: async () => {
    const { TerminalTab } = await import('../terminal/terminal');
    return ({ row }) => <TerminalTab row={row} kind="exec" />;
  },
  console: async () => {
    const { TerminalTab } = await import('../terminal/terminal');
    return ({ row }) => <TerminalTab row={row} kind="console" />;
  },
  files: async () => {
    const { FilesTab } = await import('../files/files');
    return ({ row }) => <FilesTab row={row} />;
  },
};

const TABS: Tab[] = [
  'overview',
  'configuration',
  'devices',
  'snapshots',
  'backups',
  'logs',
  'terminal',
  'console',
  'files',
];

/** Views that are at hand. Who has no right to one is told why by the view itself. */
const views = new Map<Tab, View>([['overview', Overview]]);

export function Instance({ parts }: { parts: string[] }) {
  const [, cloud = '', project = '', name = '', tab = 'overview', ...more] = parts;
  const source = useSource(cloud, project, name);
  useTitle(name, `${cloud}/${project}`);
  const row = source.row.value;
  if (source.gone.value) return <Gone source={source} />;
  if (!row && source.problem.value) {
    return (
      <div class="stack">
        <h1>{name}</h1>
        <Failure problem={source.problem.value} retry={() => void source.load()} />
      </div>
    );
  }
  if (!row) return <Loading />;
  const known = TABS.find((one) => one === tab);
  return (
    <div class="stack instance">
      <Header source={source} row={row} />
      <Stale source={source} />
      <Here row={row} />
      <Tabs row={row} tab={tab} />
      {known && more.length === 0 ? (
        <Content key={known} tab={known} source={source} row={row} />
      ) : (
        <Empty icon="circle-help" title={words.value.noTab} />
      )}
    </div>
  );
}

function Tabs({ row, tab }: { row: InstanceRow; tab: string }) {
  const t = words.value;
  const tabs = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the tabs are wider than it.
    tabs.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [tab]);
  return (
    <nav ref={tabs} class="tabs no-print" aria-label={t.parts}>
      {TABS.map((one) => {
        const address = to('instances', row.cloud, row.project, row.name, ...(one === 'overview' ? [] : [one]));
        return (
          <a key={one} href={address} aria-current={one === tab ? 'page' : undefined}>
            {t.tabs[one]}
          </a>
        );
      })}
    </nav>
  );
}

function Content({ tab, source, row }: { tab: Tab; source: Source; row: InstanceRow }) {
  const arrived = useSignal(0);
  const failed = useSignal<unknown>(null);
  useEffect(() => {
    if (tab === 'overview' || views.has(tab)) return;
    LOADERS[tab]().then(
      (view) => {
        views.set(tab, view);
        arrived.value++;
      },
      (error) => {
        failed.value = error;
      },
    );
  }, [tab]);
  void arrived.value;
  const View = views.get(tab);
  if (View) return <View source={source} row={row} />;
  if (failed.value) return <Failure problem={asProblem(failed.value)} retry={() => location.reload()} />;
  return <Loading />;
}
