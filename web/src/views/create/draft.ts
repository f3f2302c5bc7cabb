// What the form holds, and where it begins: at the address, else at the place of the last time.
import type { CopyMode } from '../../api/types';
import { place } from '../../app/router';
import { kept } from '../../app/settings';
import { instances, may } from '../../app/store';
import { inCloud, placesFor, type Where } from '../../components/place';

export const ORIGINS = ['image', 'server', 'copy', 'empty'] as const;

export type OriginName = (typeof ORIGINS)[number];

export type Key = { cloud: string; project: string; name: string };

export type Draft = {
  where: Where;
  /** Places in other clouds that get the same. */
  also: Where[];
  names: string;
  /** How many of one name, with numbers. */
  count: string;
  origin: OriginName;
  /** An alias of the image, or its fingerprint where it has none. */
  image: string;
  url: string;
  protocol: string;
  alias: string;
  source: Key | null;
  snapshot: string;
  instanceOnly: boolean;
  stateless: boolean;
  inconsistent: boolean;
  mode: CopyMode;
  isVm: boolean;
  cpu: string;
  memory: string;
  disk: string;
  /** None: for a copy those of the source. */
  profiles: string[] | null;
  network: string;
  pool: string;
  userData: string;
  settings: { key: string; value: string }[];
  description: string;
  ephemeral: boolean;
  start: boolean;
};

function isWhere(value: unknown): value is Where {
  const { cloud, project } = (value ?? {}) as Partial<Where>;
  return typeof cloud === 'string' && typeof project === 'string';
}

/** Where instances were made the last time. */
export const last = kept<Where>('create', { cloud: '', project: '' }, isWhere);

/** The place to begin with: the one that is asked for, else the last one, else any. */
function begin(cloud: string, project: string): Where {
  const all = placesFor('edit');
  const wanted = [{ cloud, project: project || 'default' }, last.value].find(({ cloud }) =>
    all.some((one) => one.cloud === cloud),
  );
  const first = wanted ?? { cloud: all[0]?.cloud ?? '', project: 'default' };
  return inCloud(first.cloud, first.project, 'edit');
}

/** What is to be copied: CLOUD/PROJECT/NAME, or NAME of the place that is asked for; with /SNAPSHOT at its end. */
function copied(text: string, { cloud, project }: Where): { source: Key | null; snapshot: string } {
  const parts = text.split('/');
  const [name = '', snapshot = ''] = parts.length > 2 ? parts.slice(2) : parts;
  const at = parts.length > 2 ? { cloud: `${parts[0]}`, project: `${parts[1]}` } : { cloud, project };
  return { source: name ? { ...at, name } : null, snapshot };
}

export function prefilled(): Draft {
  const { query } = place.value;
  const ask = (name: string) => query.get(name) ?? '';
  const where = begin(ask('cloud'), ask('project'));
  const { source, snapshot } = copied(ask('copy'), { cloud: ask('cloud'), project: ask('project') || 'default' });
  return {
    where:
      source && !ask('cloud') && may('edit', source.cloud, source.project)
        ? inCloud(source.cloud, source.project, 'edit')
        : where,
    also: [],
    names: ask('name'),
    count: '1',
    origin: source ? 'copy' : 'image',
    image: ask('image'),
    url: 'https://images.linuxcontainers.org',
    protocol: 'simplestreams',
    alias: '',
    source,
    snapshot,
    instanceOnly: false,
    stateless: true,
    inconsistent: false,
    mode: 'auto',
    isVm: false,
    cpu: '',
    memory: '',
    disk: '',
    profiles: source ? null : ['default'],
    network: '',
    pool: '',
    userData: '',
    settings: [],
    description: '',
    ephemeral: false,
    start: !source,
  };
}

/** The places that get instances. */
export function placesOf({ where, also }: Draft): Where[] {
  return [where, ...also];
}

/** The names for each place. An empty one is chosen by the cloud, or is that of the source. */
export function namesOf({ names, count }: Draft): string[] {
  const listed = names.split(/[\s,]+/).filter(Boolean);
  if (listed.length > 1) return listed;
  const many = Math.floor(Number(count));
  if (!(many > 1)) return [listed[0] ?? ''];
  const [base = ''] = listed;
  return Array.from({ length: Math.min(many, 1_000) }, (_, at) => (base ? `${base}-${at + 1}` : ''));
}

/** Whether what is copied may have a state beside its disk. */
export function hasState({ source }: Draft): boolean {
  const row = source && instances.value.get(`${source.cloud}/${source.project}/${source.name}`);
  return row?.status === 'Running' || row?.stateful === true;
}
