// Settings as YAML, as `lxc config edit` shows them. All values are texts; nothing is guessed from how they look.
import { CORE_SCHEMA, dump, FAILSAFE_SCHEMA, load } from 'js-yaml';
import type { Settings } from '../../api/types';

export function write(settings: Settings): string {
  return dump(settings, { schema: CORE_SCHEMA, lineWidth: -1, quotingType: '"', sortKeys: true });
}

/** What is wrong with a text, in words for people. */
export class NotSettings extends Error {}

type Words = { unknown: (key: string) => string; notA: (key: string, kind: string) => string };

export function read(text: string, words: Words): Settings {
  const whole = mapping(load(text, { schema: FAILSAFE_SCHEMA }) ?? {}, '', words);
  const settings: Settings = {
    architecture: '',
    config: {},
    description: '',
    devices: {},
    ephemeral: false,
    profiles: [],
    stateful: false,
  };
  for (const [key, value] of Object.entries(whole)) {
    switch (key) {
      case 'architecture':
      case 'description':
        settings[key] = scalar(value, key, words);
        break;
      case 'ephemeral':
      case 'stateful': {
        const told = scalar(value, key, words);
        if (told !== 'true' && told !== 'false') throw new NotSettings(words.notA(key, 'true, false'));
        settings[key] = told === 'true';
        break;
      }
      case 'profiles':
        if (value !== null && !Array.isArray(value)) throw new NotSettings(words.notA(key, '[…]'));
        settings.profiles = (value ?? []).map((one: unknown) => scalar(one, key, words));
        break;
      case 'config':
        settings.config = texts(value, key, words);
        break;
      case 'devices':
        for (const [name, device] of Object.entries(mapping(value, key, words))) {
          settings.devices[name] = texts(device, `${key}.${name}`, words);
        }
        break;
      default:
        throw new NotSettings(words.unknown(key));
    }
  }
  return settings;
}

function mapping(value: unknown, key: string, words: Words): Record<string, unknown> {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new NotSettings(words.notA(key || '.', '{…}'));
  return value as Record<string, unknown>;
}

function texts(value: unknown, key: string, words: Words): Record<string, string> {
  const all = Object.entries(mapping(value, key, words));
  return Object.fromEntries(all.map(([name, one]) => [name, scalar(one, `${key}.${name}`, words)]));
}

function scalar(value: unknown, key: string, words: Words): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') throw new NotSettings(words.notA(key, 'text'));
  return value;
}
