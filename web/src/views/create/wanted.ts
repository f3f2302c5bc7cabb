// The requests that the form means, and the commands that do the same.
import { ask, instancePath, path } from '../../api/client';
import type { JobView, NewCopy, NewInstance, NewOrigin } from '../../api/types';
import { body } from '../../app/actions';
import { command, nameOf } from '../../app/commands';
import type { Where } from '../../components/place';
import { FIELDS } from './check';
import { type Draft, hasState, type Key, namesOf, placesOf } from './draft';
import { imageOf, resourcesOf, rootOf } from './resources';

/** One instance that is to be made. */
export type Wanted = { to: Key; send: () => Promise<JobView>; startAfter: boolean };

function configOf(draft: Draft): Record<string, string> {
  const config: Record<string, string> = {};
  for (const { key, value } of draft.settings) if (key.trim()) config[key.trim()] = value;
  if (draft.cpu.trim()) config[FIELDS.cpu] = draft.cpu.trim();
  if (draft.memory.trim()) config[FIELDS.memory] = draft.memory.trim();
  if (draft.userData.trim() && draft.origin !== 'copy') config[FIELDS.userData] = draft.userData;
  return config;
}

/** The root disk, where it differs from that of the profiles. */
function devicesOf(draft: Draft, where: Where): Record<string, Record<string, string>> | undefined {
  const size = draft.disk.trim();
  if (!size && !draft.pool) return undefined;
  const [name, root] = rootOf(resourcesOf(where), draft.profiles ?? []) ?? ['root', { type: 'disk', path: '/' }];
  return { [name]: { ...root, ...(draft.pool && { pool: draft.pool }), ...(size && { size }) } };
}

/** Whether it is a virtual machine: as the image says, else as was chosen. */
export function isVm(draft: Draft): boolean {
  if (draft.origin === 'image') return imageOf(resourcesOf(draft.where), draft.image)?.type === 'virtual-machine';
  return draft.isVm;
}

function originOf(draft: Draft): NewOrigin {
  switch (draft.origin) {
    case 'server':
      return { server: { url: draft.url.trim(), protocol: draft.protocol, image: draft.alias.trim() } };
    case 'empty':
      return { empty: true };
    default:
      return { image: draft.image };
  }
}

function create(draft: Draft, where: Where, name: string): Wanted {
  const wanted: NewInstance = { origin: originOf(draft), config: configOf(draft), start: draft.start };
  if (name) wanted.name = name;
  if (draft.description.trim()) wanted.description = draft.description.trim();
  if (draft.ephemeral) wanted.ephemeral = true;
  if (isVm(draft)) wanted.virtual_machine = true;
  if (draft.profiles) wanted.profiles = draft.profiles;
  if (draft.network) wanted.network = draft.network;
  const devices = devicesOf(draft, where);
  if (devices) wanted.devices = devices;
  const address = path('clouds', where.cloud, 'projects', where.project, 'instances');
  return {
    to: { ...where, name },
    send: () => body(ask<JobView>('POST', address, { body: wanted })),
    startAfter: false,
  };
}

function copy(draft: Draft, source: Key, where: Where, name: string): Wanted {
  const wanted: NewCopy = { ...where, name: name || source.name, config: configOf(draft) };
  if (draft.snapshot) wanted.snapshot = draft.snapshot;
  else if (draft.instanceOnly) wanted.instance_only = true;
  if (draft.stateless && hasState(draft)) wanted.stateless = true;
  if (draft.inconsistent) wanted.allow_inconsistent = true;
  if (where.cloud !== source.cloud) wanted.mode = draft.mode;
  if (draft.profiles) wanted.profiles = draft.profiles;
  if (draft.pool) wanted.pool = draft.pool;
  if (draft.disk.trim()) {
    const [root] = rootOf(resourcesOf(where), draft.profiles ?? []) ?? ['root'];
    wanted.devices = { [root]: { size: draft.disk.trim() } };
  }
  return {
    to: { ...where, name: name || source.name },
    send: () => body(ask<JobView>('POST', instancePath(source, 'copy'), { body: wanted })),
    startAfter: draft.start,
  };
}

/** All that are to be made. */
export function wantedOf(draft: Draft): Wanted[] {
  const { origin, source } = draft;
  return placesOf(draft).flatMap((where) =>
    namesOf(draft).map((name) =>
      origin === 'copy' && source ? copy(draft, source, where, name) : create(draft, where, name),
    ),
  );
}

/** Settings, profiles and the root disk, as both commands take them. */
function shared(draft: Draft, where: Where): string[] {
  const words = Object.entries(configOf(draft)).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  if (draft.profiles?.length === 0) words.push('--no-profiles');
  else if (draft.profiles && (draft.origin === 'copy' || draft.profiles.join() !== 'default'))
    words.push(...draft.profiles.flatMap((name) => ['-p', name]));
  if (draft.pool) words.push('-s', draft.pool);
  const [root] = rootOf(resourcesOf(where), draft.profiles ?? []) ?? ['root'];
  if (draft.disk.trim()) words.push('-d', `${root},size=${draft.disk.trim()}`);
  return words;
}

function createCommand(draft: Draft, where: Where): string {
  const names = namesOf(draft).map((name) => `${where.cloud}:${name}`);
  const words = [draft.start ? 'launch' : 'init'];
  if (draft.origin === 'empty') words.push('--empty', ...names);
  else if (draft.origin === 'server')
    words.push(draft.alias.trim(), ...names, '--from', draft.url.trim(), '--protocol', draft.protocol);
  else words.push(draft.image, ...names);
  if (isVm(draft)) words.push('--vm');
  if (draft.ephemeral) words.push('--ephemeral');
  if (draft.network) words.push('-n', draft.network);
  return command(where.project, ...words, ...shared(draft, where));
}

function copyCommands(draft: Draft, source: Key, where: Where): string[] {
  return namesOf(draft).flatMap((name) => {
    const target = { ...where, name: name || source.name };
    const words = ['copy', nameOf(source, draft.snapshot), nameOf(target), '--target-project', where.project];
    if (!draft.snapshot && draft.instanceOnly) words.push('--instance-only');
    if (draft.stateless && hasState(draft)) words.push('--stateless');
    if (draft.inconsistent) words.push('--allow-inconsistent');
    if (where.cloud !== source.cloud && draft.mode !== 'auto') words.push('--mode', draft.mode);
    const all = [command(source.project, ...words, ...shared(draft, where))];
    return draft.start ? [...all, command(where.project, 'start', nameOf(target))] : all;
  });
}

/** The commands that do what the form does. */
export function commandsOf(draft: Draft): string {
  const { origin, source } = draft;
  const all = placesOf(draft).flatMap((where) =>
    origin === 'copy' && source ? copyCommands(draft, source, where) : [createCommand(draft, where)],
  );
  return all.join('\n');
}
