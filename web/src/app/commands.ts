// The command of kolaboree-node that does what a button does.
import type { InstanceKey } from '../api/types';

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** `kolaboree-node lxd …` about something in a project. */
export function command(project: string, ...words: string[]): string {
  const place = project && project !== 'default' ? ['--project', project] : [];
  return ['kolaboree-node', 'lxd', ...words, ...place].map(quoted).join(' ');
}

/** How commands name an instance, or a snapshot of it. */
export function nameOf(key: InstanceKey, snapshot?: string): string {
  return `${key.cloud}:${key.name}${snapshot ? `/${snapshot}` : ''}`;
}
