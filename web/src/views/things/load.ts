// Lists of things of all clouds. Each cloud is asked by itself: one that fails keeps what it had, and leaves the others.
import { type Signal, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, get, path } from '../../api/client';
import type { Project } from '../../api/things';
import type { CloudView, Problem } from '../../api/types';
import { clouds, images } from '../../app/store';

/** A thing and where it is. What belongs to a whole cloud has no project. */
export type Placed<T> = { cloud: string; project: string; thing: T };

export type FromCloud<T> = { rows: Placed<T>[]; loading: boolean; problem: Problem | null };

/** A kind of things, and the clouds' lists of it that were loaded. */
export type Source<T> = {
  /** The last part of the path of its list. */
  list: string[];
  /**
   * The setting by which a project has its own, instead of those of the project default. Empty where each project is asked;
   * none for what a whole cloud has.
   */
  feature?: string;
  lists: Signal<ReadonlyMap<string, FromCloud<T>>>;
};

export function source<T>(list: string[], feature?: string): Source<T> {
  return { list, feature, lists: signal(new Map()) };
}

/** The projects of a cloud that have their own things of this kind, of those that the caller may see. */
async function owners(cloud: CloudView, feature: string): Promise<string[]> {
  const { name, projects } = cloud;
  if (!feature || projects.length < 2 || !projects.includes('default')) return projects;
  const known = new Map((await get<Project[]>(path('clouds', name, 'projects'))).map((one) => [one.name, one]));
  return projects.filter((project) => project === 'default' || known.get(project)?.config?.[feature] === 'true');
}

async function read<T>({ list, feature }: Source<T>, cloud: CloudView): Promise<Placed<T>[]> {
  if (feature === undefined) {
    const things = await get<T[]>(path('clouds', cloud.name, ...list));
    return things.map((thing) => ({ cloud: cloud.name, project: '', thing }));
  }
  const all = (await owners(cloud, feature)).map(async (project) => {
    const things = await get<(T & { project?: string })[]>(path('clouds', cloud.name, 'projects', project, ...list));
    // What is another project's comes with that one's list.
    const own = things.filter(
      (thing) => (thing.project || project) === project || !cloud.projects.includes(`${thing.project}`),
    );
    return own.map((thing) => ({ cloud: cloud.name, project, thing }));
  });
  return (await Promise.all(all)).flat();
}

/** The newest question to each cloud, so that an older one that ends later does not count. */
const turns = new WeakMap<Source<never>, Map<string, number>>();

export async function loadFrom<T>(from: Source<T>, cloud: CloudView): Promise<void> {
  const asked = turns.get(from as Source<never>) ?? new Map<string, number>();
  turns.set(from as Source<never>, asked);
  const mine = (asked.get(cloud.name) ?? 0) + 1;
  asked.set(cloud.name, mine);
  const put = (change: Partial<FromCloud<T>>) => {
    if (asked.get(cloud.name) !== mine) return;
    const before = from.lists.value.get(cloud.name) ?? { rows: [], loading: false, problem: null };
    from.lists.value = new Map(from.lists.value).set(cloud.name, { ...before, ...change });
  };
  put({ loading: true });
  try {
    put({ rows: await read(from, cloud), loading: false, problem: null });
  } catch (error) {
    put({ loading: false, problem: asProblem(error) });
  }
}

export function loadAll<T>(from: Source<T>): void {
  for (const cloud of clouds.value) void loadFrom(from, cloud);
}

/** Loads the lists while somebody looks: at first, when images have changed, and when a cloud or its projects come or go. */
export function useThings<T>(from: Source<T>): void {
  const count = from.list[0] === 'images' ? images.value : 0;
  const known = clouds.value.map(({ name, projects, health }) => `${name}:${projects}:${health.reachable}`);
  useEffect(() => {
    const names = new Set(clouds.value.map(({ name }) => name));
    from.lists.value = new Map([...from.lists.value].filter(([name]) => names.has(name)));
    loadAll(from);
  }, [from, count, known.join('\n')]);
}
