// What is wrong with the form, by its fields.
import { type Image, imageName } from '../../api/things';
import { instances } from '../../app/store';
import type { Where } from '../../components/place';
import { words } from '../../i18n/create';
import { count } from '../../i18n/format';
import { type Draft, namesOf, placesOf } from './draft';
import { imageOf, type Resources, resourcesOf, rootOf } from './resources';

export type Field =
  | 'names'
  | 'count'
  | 'image'
  | 'source'
  | 'url'
  | 'alias'
  | 'cpu'
  | 'memory'
  | 'disk'
  | 'profiles'
  | 'network'
  | 'pool'
  | 'settings';

export type Errors = Partial<Record<Field, string>>;

/** No more are made at once. */
const MOST = 100;

const NAME = /^[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const CPU = /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/;
const SIZE = /^\d+(?:[kMGTPE]i?B|B)?$/;
const KEY = /^[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/** Settings that are fields of the form. */
export const FIELDS = { cpu: 'limits.cpu', memory: 'limits.memory', userData: 'cloud-init.user-data' } as const;

function nameErrors(draft: Draft): string | undefined {
  const e = words.value.errors;
  const names = namesOf(draft);
  const wrong = names.find((name) => name && !NAME.test(name));
  if (wrong) return e.name(wrong.length > 70 ? `${wrong.slice(0, 70)}…` : wrong);
  const twice = names.find((name, at) => name && names.indexOf(name) !== at);
  if (twice) return e.twice(twice);
  if (names.length * placesOf(draft).length > MOST) return e.many(count(MOST));
  for (const { cloud, project } of placesOf(draft)) {
    const source = draft.origin === 'copy' ? draft.source : null;
    for (const name of names) {
      const last = name || source?.name || '';
      if (source && cloud === source.cloud && project === source.project && last === source.name) return e.itself;
      if (instances.value.has(`${cloud}/${project}/${last}`)) return e.taken(last, `${cloud}/${project}`);
    }
  }
  return undefined;
}

function originErrors(draft: Draft, errors: Errors): void {
  const e = words.value.errors;
  switch (draft.origin) {
    case 'image':
      if (!draft.image) errors.image = e.image;
      else errors.image = lacking(draft, (resources) => imageOf(resources, draft.image), draft.image, e.noImage);
      break;
    case 'server':
      if (!/^https:\/\/[^\s/]/.test(draft.url.trim())) errors.url = e.url;
      if (!draft.alias.trim()) errors.alias = e.alias;
      break;
    case 'copy': {
      const { source } = draft;
      if (!source) errors.source = e.source;
      else if (!instances.value.has(`${source.cloud}/${source.project}/${source.name}`))
        errors.source = words.value.sourceGone(`${source.cloud}/${source.project}/${source.name}`);
    }
  }
}

/** The first place of which it is known that it lacks something. */
function lacking(
  draft: Draft,
  find: (resources: Resources) => unknown,
  name: string,
  tell: (name: string, place: string) => string,
): string | undefined {
  const lacks = (where: Where) => {
    const resources = resourcesOf(where);
    return resources && !find(resources);
  };
  const where = placesOf(draft).find(lacks);
  return where && tell(name, `${where.cloud}/${where.project}`);
}

function settingErrors({ settings }: Draft): string | undefined {
  const e = words.value.errors;
  const keys = settings.map(({ key }) => key.trim());
  if (settings.some(({ key, value }) => !KEY.test(key.trim()) && (key || value))) return e.key;
  const field = keys.find((key) => (Object.values(FIELDS) as string[]).includes(key));
  if (field) return e.key2(field);
  const twice = keys.find((key, at) => key && keys.indexOf(key) !== at);
  return twice && e.keyTwice(twice);
}

function placeErrors(draft: Draft, errors: Errors): void {
  const e = words.value.errors;
  const by = (name: string) => (one: { name: string }) => one.name === name;
  for (const name of draft.profiles ?? []) {
    errors.profiles ??= lacking(draft, ({ profiles }) => profiles.find(by(name)), name, e.noProfile);
  }
  const { network, pool } = draft;
  if (network) errors.network = lacking(draft, ({ networks }) => networks.find(by(network)), network, e.noNetwork);
  if (pool) errors.pool = lacking(draft, ({ pools }) => pools.find(by(pool)), pool, e.noPool);
  else if (draft.profiles)
    errors.pool = lacking(
      draft,
      (resources) => rootOf(resources, draft.profiles ?? []),
      '',
      () => e.pool,
    );
}

export function check(draft: Draft): Errors {
  const e = words.value.errors;
  const errors: Errors = { names: nameErrors(draft) };
  if (!/^[1-9]\d{0,3}$/.test(draft.count.trim())) errors.count = e.howMany;
  originErrors(draft, errors);
  if (draft.cpu && !CPU.test(draft.cpu.trim())) errors.cpu = e.cpu;
  if (draft.memory && !SIZE.test(draft.memory.trim()) && !/^\d{1,3}%$/.test(draft.memory.trim()))
    errors.memory = e.size;
  if (draft.disk && !SIZE.test(draft.disk.trim())) errors.disk = e.size;
  placeErrors(draft, errors);
  errors.settings = settingErrors(draft);
  return Object.fromEntries(Object.entries(errors).filter(([, text]) => text));
}

/** How the form names an image: by an alias, else by its fingerprint. */
export function referenceOf(image: Image): string {
  return image.aliases?.length ? imageName(image) : image.fingerprint;
}
