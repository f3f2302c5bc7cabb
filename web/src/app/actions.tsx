// What is done to instances, from any view: asked about where the node says so, begun, and followed.
import { ask, instancePath, path } from '../api/client';
import type { InstanceKey, InstanceRow, JobView, StateAction } from '../api/types';
import { confirm } from '../components/dialog';
import { words } from '../i18n/actions';
import { words as common } from '../i18n/common';
import { begin } from './jobs';
import { me } from './store';

/** What a state lets be done. */
export function actionsFor(status: string): StateAction[] {
  switch (status) {
    case 'Stopped':
      return ['start'];
    case 'Frozen':
      return ['unfreeze', 'stop'];
    case 'Running':
    case 'Ready':
      return ['stop', 'restart', 'freeze'];
    case 'Error':
      return ['start', 'stop'];
    default:
      return [];
  }
}

export const ACTION_ICONS: Record<StateAction, string> = {
  start: 'play',
  stop: 'square',
  restart: 'rotate-cw',
  freeze: 'snowflake',
  unfreeze: 'play',
};

function keyOf({ cloud, project, name }: InstanceKey): InstanceKey {
  return { cloud, project, name };
}

/** Whether the user wants it, where the node's configuration has the page ask. */
async function wanted(action: string, names: string[], danger: boolean): Promise<boolean> {
  if (!me.value?.confirm.includes(action)) return true;
  const t = words.value;
  const title = t.sure(t.verbs[action as keyof typeof t.verbs] ?? action, names.length);
  const shown = names.length > 8 ? [...names.slice(0, 8), `… +${names.length - 8}`] : names;
  const typed = action === 'delete' && names.length > 1 ? String(names.length) : undefined;
  return confirm({
    title,
    text: (
      <ul>
        {shown.map((name) => (
          <li key={name} class="mono">
            {name}
          </li>
        ))}
      </ul>
    ),
    action: t.verbs[action as keyof typeof t.verbs] ?? action,
    danger,
    typed,
  });
}

/** Starts, stops and so on. Several are one job with an outcome for each. */
export async function changeState(rows: InstanceKey[], action: StateAction, force = false): Promise<JobView | null> {
  const names = rows.map((row) => `${row.cloud}/${row.project}/${row.name}`);
  if (rows.length === 0 || !(await wanted(action, names, false))) return null;
  const name = common.value.actionNames[action];
  const [only] = rows;
  if (rows.length === 1 && only) {
    const change = ask<JobView>('PUT', instancePath(only, 'state'), { body: { action, force } });
    return begin(words.value.one(name, only.name), body(change));
  }
  const bulk = ask<JobView>('POST', path('instances', 'state'), {
    body: { instances: rows.map(keyOf), state: { action, force } },
  });
  return begin(words.value.many(name, rows.length), body(bulk));
}

/** Deletes instances with their snapshots, those that run too. */
export async function remove(rows: InstanceRow[]): Promise<boolean> {
  const names = rows.map((row) => `${row.cloud}/${row.project}/${row.name}`);
  if (rows.length === 0 || !(await wanted('delete', names, true))) return false;
  const all = rows.map((row) => {
    const force = row.status !== 'Stopped';
    const change = ask<JobView>('DELETE', instancePath(row), { query: { force: force || undefined } });
    return begin(words.value.one(common.value.delete, row.name), body(change));
  });
  const ended = await Promise.all(all);
  return ended.every((job) => job?.status === 'done');
}

/** The job that a request has begun. */
export async function body(answer: Promise<{ body: JobView }>): Promise<JobView> {
  return (await answer).body;
}
