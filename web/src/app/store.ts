// What the page knows of the node: lists that are loaded once and then kept by events. Views read signals and change nothing.
import { batch, computed, signal } from '@preact/signals';
import { type Answer, ask, asProblem, get, path } from '../api/client';
import type {
  Change,
  CloudView,
  Freshness,
  InstanceKey,
  InstanceRow,
  ListOf,
  Me,
  NodeView,
  OperationView,
  Problem,
  Verb,
} from '../api/types';
import { follow } from './live';
import type { Told } from './stream';

/** Who asks; none before the first answer. */
export const me = signal<Me | null>(null);
/** Why the node tells this caller nothing. */
export const refused = signal<Problem | null>(null);
/** Whether the events come. */
export const link = signal<'opening' | 'open' | 'lost'>('opening');
export const node = signal<NodeView | null>(null);
export const clouds = signal<CloudView[]>([]);
export const instances = signal<ReadonlyMap<string, InstanceRow>>(new Map());
export const operations = signal<ReadonlyMap<string, OperationView>>(new Map());
/** Whether all instances have been loaded once. */
export const loaded = signal<'nothing' | 'some' | 'all'>('nothing');
/** What the last try to load said, if it failed. */
export const trouble = signal<Problem | null>(null);
/** Counts what changed of things that the page has no list of, so that views of them load anew. */
export const images = signal(0);

const build = document.querySelector<HTMLMetaElement>('meta[name=build]')?.content ?? '';

/** Whether the node has another build of the page by now. */
export const outdated = computed(() => me.value !== null && me.value.page !== build);

/** How fresh the rows of each cloud are. */
export const freshness = computed(() => {
  const known = clouds.value.flatMap((cloud): [string, Freshness][] =>
    cloud.freshness ? [[cloud.name, cloud.freshness]] : [],
  );
  return new Map(known);
});

export function idOf(key: InstanceKey): string {
  return `${key.cloud}/${key.project}/${key.name}`;
}

/** Whether the caller may do that there; without a place: anywhere. */
export function may(verb: Verb, cloud?: string, project?: string): boolean {
  const has = (names: string[], name?: string) => !name || names.includes('*') || names.includes(name);
  const rights = me.value?.caller.rights ?? [];
  return rights.some((right) => right.verbs.includes(verb) && has(right.clouds, cloud) && has(right.projects, project));
}

/** How many rows come at once: the first ones soon, the others in few answers. */
const FIRST = 200;
const MORE = 1_000;

let turn = 0;

/** The number of the last change that the list of instances had in it when it was loaded, as the node's events have it. */
let listed = '';

/** Loads everything, and follows it. */
export function start(): void {
  let after = '';
  const begun = load();
  follow((told) => {
    if (told.type === 'link' && told.state === 'open' && !after) {
      after = told.after;
      // What happened after the list was made and before the events began was told by neither.
      void begun.then(() => isBehind(listed, after) && void load());
    }
    take(told);
  });
}

/** Whether a change is older than another one, or of another run of the node. */
function isBehind(one: string, other: string): boolean {
  const [run, number] = one.split('-');
  const [otherRun, otherNumber] = other.split('-');
  return run !== otherRun || Number(number) < Number(otherNumber);
}

function take(told: Told): void {
  switch (told.type) {
    case 'changes':
      for (const newer of gathering) newer.push(...told.changes);
      apply(told.changes);
      break;
    case 'reset':
      void load();
      break;
    case 'link':
      if (told.state === 'open' && link.value === 'lost') void loadSelf().catch(() => {});
      link.value = told.state;
      break;
    case 'refused':
      refused.value = told.problem;
  }
}

/** Loads all lists anew. Of two loads at once the later one counts. */
export async function load(): Promise<void> {
  const mine = ++turn;
  try {
    await Promise.all([loadSelf(), loadClouds(), loadInstances(mine), loadOperations(mine)]);
    trouble.value = null;
  } catch (error) {
    if (mine !== turn) return;
    const problem = asProblem(error);
    if (problem.status === 403) refused.value = problem;
    else {
      trouble.value = problem;
      setTimeout(() => mine === turn && void load(), 3_000);
    }
  }
}

/** Who asks, and how the node is. */
export async function loadSelf(): Promise<void> {
  const [who, how] = await Promise.all([get<Me>(path('me')), get<NodeView>(path('node')).catch(() => null)]);
  batch(() => {
    me.value = who;
    node.value = how;
    refused.value = null;
  });
}

export async function loadClouds(): Promise<void> {
  clouds.value = await get<CloudView[]>(path('clouds'));
}

/** What events tell while lists are loaded: a list may be older than they are. */
const gathering = new Set<Change[]>();

/** Does it, with what events tell meanwhile. */
async function gathered<T>(what: (newer: Change[]) => Promise<T>): Promise<T> {
  const newer: Change[] = [];
  gathering.add(newer);
  try {
    return await what(newer);
  } finally {
    gathering.delete(newer);
  }
}

function loadInstances(mine: number): Promise<void> {
  return gathered(async (newer) => {
    const rows = new Map<string, InstanceRow>();
    let after: string | null | undefined;
    do {
      const query = { limit: after ? MORE : FIRST, after };
      const answer: Answer<ListOf<InstanceRow>> = await ask('GET', path('instances'), { query });
      if (mine !== turn) return;
      if (!after) listed = answer.etag?.match(/"([0-9a-f]+-\d+)/)?.[1] ?? '';
      for (const row of answer.body.items) rows.set(idOf(row), row);
      after = answer.body.next;
      batch(() => {
        // What an earlier load has shown stays until this one knows better.
        if (!after || loaded.value !== 'all') instances.value = new Map(rows);
        loaded.value = after && loaded.value !== 'all' ? 'some' : 'all';
        apply(newer);
      });
    } while (after);
  });
}

function loadOperations(mine: number): Promise<void> {
  return gathered(async (newer) => {
    const page = await get<ListOf<OperationView>>(path('operations'), { limit: 1_000 });
    if (mine !== turn) return;
    batch(() => {
      operations.value = new Map(page.items.map((row) => [row.id ?? '', row]));
      apply(newer);
    });
  });
}

/** What a usage of the rows that somebody looks at was asked for. */
export function takeUsage(rows: InstanceRow[]): void {
  const next = new Map(instances.value);
  for (const row of rows) {
    const known = next.get(idOf(row));
    if (known) next.set(idOf(row), { ...known, state: row.state });
  }
  instances.value = next;
}

function apply(changes: Change[]): void {
  let rows: Map<string, InstanceRow> | undefined;
  let running: Map<string, OperationView> | undefined;
  let cloudsChanged = false;
  let imagesChanged = false;
  let someNew = false;
  for (const change of changes) {
    switch (change.kind) {
      case 'instance':
        rows ??= new Map(instances.value);
        rows.set(idOf(change.row), change.row);
        break;
      case 'instance-gone':
        rows ??= new Map(instances.value);
        rows.delete(idOf(change.row));
        break;
      case 'operation':
        running ??= new Map(operations.value);
        // Who began it is told by the list alone.
        someNew ||= !running.has(change.row.id ?? '');
        running.set(change.row.id ?? '', { ...running.get(change.row.id ?? ''), ...change.row });
        break;
      case 'operation-gone':
        running ??= new Map(operations.value);
        running.delete(change.row.id);
        break;
      case 'cloud':
        cloudsChanged = true;
        break;
      case 'cloud-gone':
        cloudsChanged = true;
        rows = new Map([...(rows ?? instances.value)].filter(([, row]) => row.cloud !== change.row));
        break;
      default:
        imagesChanged = true;
    }
  }
  batch(() => {
    if (rows) instances.value = rows;
    if (running) operations.value = running;
    if (imagesChanged) images.value++;
  });
  if (cloudsChanged) soon(loadClouds);
  if (someNew) soon(loadOwners, CALM);
}

/** Asks who began the operations that events have told of. */
async function loadOwners(): Promise<void> {
  await loadOperations(turn);
}

const waiting = new Set<() => Promise<void>>();

/** How long new operations are gathered before the node is asked who began them, in milliseconds. */
const CALM = 2_000;

/** Does it once for many changes. */
function soon(what: () => Promise<void>, pause = 500): void {
  if (waiting.has(what)) return;
  waiting.add(what);
  setTimeout(() => {
    waiting.delete(what);
    what().catch(() => {}); // the next change or load tells again
  }, pause);
}
