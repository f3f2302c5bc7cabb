// The commands that make changes of settings.
import type { InstanceKey } from '../../api/types';
import { command, nameOf } from '../../app/commands';
import type { Difference } from './settings';

/** What `kolaboree-node lxd` makes these changes by; what has no command of its own is edited as a whole. */
export function commandFor(key: InstanceKey, changes: Difference[]): string {
  const name = nameOf(key);
  const told: string[][] = [];
  const sets: string[] = [];
  const devices = new Map<string, Difference[]>();
  for (const change of changes) {
    const [part, first = ''] = change.place;
    if (part === 'config' && change.after !== undefined) sets.push(`${first}=${change.after}`);
    else if (part === 'config') told.push(['config', 'unset', name, first]);
    else if (part === 'profiles') told.push(['profile', 'assign', name, change.after ?? '']);
    else if (part === 'devices' && !isOfOtherType(change)) devices.set(first, [...(devices.get(first) ?? []), change]);
    else return command(key.project, 'config', 'edit', name);
  }
  if (sets.length > 0) told.unshift(['config', 'set', name, ...sets]);
  for (const [device, settings] of devices) told.push(...deviceCommands(name, device, settings));
  return told.map((words) => command(key.project, ...words)).join(' && ');
}

function isOfOtherType({ place, before, after }: Difference): boolean {
  return place[2] === 'type' && before !== undefined && after !== undefined;
}

function deviceCommands(name: string, device: string, changes: Difference[]): string[][] {
  const type = changes.find(({ place }) => place[2] === 'type');
  if (type && type.after === undefined) return [['config', 'device', 'remove', name, device]];
  const sets = changes.filter(({ place, after }) => after !== undefined && place[2] !== 'type');
  const values = sets.map(({ place, after }) => `${place[2]}=${after}`);
  if (type) return [['config', 'device', 'add', name, device, type.after ?? '', ...values]];
  const unsets = changes.filter(({ after }) => after === undefined);
  return [
    ...(values.length > 0 ? [['config', 'device', 'set', name, device, ...values]] : []),
    ...unsets.map(({ place }) => ['config', 'device', 'unset', name, device, place[2] ?? '']),
  ];
}
