// The settings of an instance that can be changed, and how two states of them differ.
import type { Instance, Settings } from '../../api/types';

/** Where a setting is: `['config', 'limits.cpu']`, `['devices', 'eth0', 'mtu']`, `['description']`. */
type Place = string[];

/** A setting that differs; without a value it is not there. */
export type Difference = { place: Place; before?: string; after?: string };

export function settingsOf(instance: Instance): Settings {
  return {
    architecture: instance.architecture ?? '',
    config: { ...instance.config },
    description: instance.description ?? '',
    devices: structuredClone(instance.devices ?? {}),
    ephemeral: instance.ephemeral ?? false,
    profiles: [...(instance.profiles ?? [])],
    stateful: instance.stateful ?? false,
  };
}

/** How people write a place. */
export function placeName(place: Place): string {
  return place[0] === 'config' ? place.slice(1).join('.') : place.join('.');
}

/** What the server notes for itself. */
export function isVolatile(key: string): boolean {
  return key.startsWith('volatile.');
}

function flat(settings: Settings): Map<string, string> {
  const all = new Map<string, string>();
  const put = (value: string, ...place: Place) => all.set(JSON.stringify(place), value);
  put(settings.description, 'description');
  put(settings.architecture, 'architecture');
  put(settings.profiles.join(','), 'profiles');
  put(String(settings.ephemeral), 'ephemeral');
  put(String(settings.stateful), 'stateful');
  for (const [key, value] of Object.entries(settings.config)) put(value, 'config', key);
  for (const [device, keys] of Object.entries(settings.devices)) {
    for (const [key, value] of Object.entries(keys)) put(value, 'devices', device, key);
  }
  return all;
}

export function differences(before: Settings, after: Settings): Difference[] {
  const [old, young] = [flat(before), flat(after)];
  const places = [...new Set([...old.keys(), ...young.keys()])].sort();
  return places
    .filter((place) => old.get(place) !== young.get(place))
    .map((place) => ({ place: JSON.parse(place), before: old.get(place), after: young.get(place) }));
}

/** Makes the same changes to other settings. */
export function apply(settings: Settings, changes: Difference[]): Settings {
  const next = structuredClone(settings);
  for (const { place, after } of changes) {
    const [part, name = '', key = ''] = place;
    if (part === 'config') put(next.config, name, after);
    else if (part === 'devices') {
      const device = next.devices[name] ?? {};
      put(device, key, after);
      // A device has at least its type.
      if (Object.keys(device).length > 0) next.devices[name] = device;
      else delete next.devices[name];
    } else if (part === 'profiles') next.profiles = (after ?? '').split(',').filter(Boolean);
    else if (part === 'description' || part === 'architecture') next[part] = after ?? '';
    else if (part === 'ephemeral' || part === 'stateful') next[part] = after === 'true';
  }
  return next;
}

function put(values: Record<string, string>, key: string, value: string | undefined): void {
  if (value === undefined) delete values[key];
  else values[key] = value;
}
