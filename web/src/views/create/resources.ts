// What the places have that instances are made of: images, profiles, networks and pools.
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, get, path } from '../../api/client';
import type { Image, Network, Pool, Profile } from '../../api/things';
import type { Problem } from '../../api/types';
import { images as imageChanges } from '../../app/store';
import type { Where } from '../../components/place';

export type Resources = {
  images: Image[];
  profiles: Profile[];
  networks: Network[];
  pools: Pool[];
};

type Known = { resources: Resources | null; problem: Problem | null; loading: boolean };

const known = signal<ReadonlyMap<string, Known>>(new Map());

function keyOf({ cloud, project }: Where): string {
  return `${cloud}/${project}`;
}

function put(where: Where, change: Partial<Known>): void {
  const before = known.value.get(keyOf(where)) ?? { resources: null, problem: null, loading: false };
  known.value = new Map(known.value).set(keyOf(where), { ...before, ...change });
}

export function knownOf(where: Where): Known | undefined {
  return known.value.get(keyOf(where));
}

export function resourcesOf(where: Where): Resources | null {
  return knownOf(where)?.resources ?? null;
}

export async function load(where: Where): Promise<void> {
  const { cloud, project } = where;
  if (!cloud || !project) return;
  put(where, { loading: true });
  const list = <T>(name: string) => get<T[]>(path('clouds', cloud, 'projects', project, name));
  try {
    const [images, profiles, networks, pools] = await Promise.all([
      list<Image>('images'),
      list<Profile>('profiles'),
      list<Network>('networks'),
      get<Pool[]>(path('clouds', cloud, 'storage-pools')),
    ]);
    put(where, { resources: { images, profiles, networks, pools }, problem: null, loading: false });
  } catch (error) {
    put(where, { problem: asProblem(error), loading: false });
  }
}

/** Loads what the places have, and again when images have changed. */
export function useResources(places: Where[]): void {
  const asked = places.map(keyOf).join('\n');
  const changes = imageChanges.value;
  useEffect(() => {
    for (const where of places) void load(where);
  }, [asked, changes]);
}

/** The image of that alias, or whose fingerprint begins so. */
export function imageOf(resources: Resources | null, name: string): Image | undefined {
  if (!name) return undefined;
  const byAlias = resources?.images.find(({ aliases }) => aliases?.some((alias) => alias.name === name));
  return byAlias ?? resources?.images.find(({ fingerprint }) => fingerprint.startsWith(name));
}

/** The root disk that these profiles give, by its name. */
export function rootOf(resources: Resources | null, profiles: string[]): [string, Record<string, string>] | undefined {
  const devices = profiles.flatMap((name) =>
    Object.entries(resources?.profiles.find((profile) => profile.name === name)?.devices ?? {}),
  );
  return devices.findLast(([, { type, path: at }]) => type === 'disk' && at === '/');
}

/** The setting that these profiles give. */
export function inherited(resources: Resources | null, profiles: string[], key: string): string {
  const values = profiles.map((name) => resources?.profiles.find((one) => one.name === name)?.config?.[key]);
  return values.findLast(Boolean) ?? '';
}

/** The networks that an interface can be in. */
export function usableNetworks(resources: Resources | null): Network[] {
  const kinds = ['bridge', 'ovn', 'macvlan', 'sriov', 'physical', 'bond', 'vlan'];
  return (resources?.networks ?? []).filter(({ managed, type = '' }) => managed || kinds.includes(type));
}
