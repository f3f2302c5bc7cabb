// Which view an address has. What few visits need is loaded when it is asked for.
import type { ComponentType } from 'preact';
import { Instances } from '../views/instances/instances';
import { Overview } from '../views/overview/overview';

type View = ComponentType<{ parts: string[] }>;
type Loader = () => Promise<View>;

const LOADERS: Record<string, Loader> = {
  create: async () => (await import('../views/create/create')).Create,
  instance: async () => (await import('../views/instance/instance')).Instance,
  things: async () => (await import('../views/things/things')).Things,
  operations: async () => (await import('../views/operations/operations')).Operations,
  audit: async () => (await import('../views/audit/audit')).Audit,
  access: async () => (await import('../views/access/access')).Access,
};

export const THINGS = ['images', 'profiles', 'projects', 'networks', 'storage', 'warnings', 'members'] as const;

/** The view of an address: at hand, to be loaded, or none. */
export function viewOf(parts: string[]): View | string | null {
  const [first, ...rest] = parts;
  if (first === undefined) return Overview;
  if (first === 'instances') return rest.length === 0 ? Instances : rest.length >= 3 ? 'instance' : null;
  if ((THINGS as readonly string[]).includes(first)) return 'things';
  return first in LOADERS && first !== 'instance' && first !== 'things' ? first : null;
}

const loaded = new Map<string, View>();

/** A view that was loaded before. */
export function known(name: string): View | undefined {
  return loaded.get(name);
}

export async function loadView(name: string): Promise<View> {
  const view = await (LOADERS[name] as Loader)();
  loaded.set(name, view);
  return view;
}
