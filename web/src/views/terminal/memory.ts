// Which session of an instance this tab has: it comes back to it after a reload.
import type { InstanceKey } from '../../api/types';
import { idOf } from '../../app/store';
import type { Kind } from './wire';

/** A session, and how many bytes of it were drawn: what it asked the terminal in those has been answered. */
type Known = { id: string; seen: number };

function place(key: InstanceKey, kind: Kind): string {
  return `kolaboree.${kind}.${idOf(key)}`;
}

export function recall(key: InstanceKey, kind: Kind): Known | null {
  try {
    const known = JSON.parse(sessionStorage.getItem(place(key, kind)) ?? 'null');
    return typeof known?.id === 'string' && typeof known.seen === 'number' ? known : null;
  } catch {
    return null;
  }
}

export function remember(key: InstanceKey, kind: Kind, known: Known | null): void {
  try {
    if (known) sessionStorage.setItem(place(key, kind), JSON.stringify(known));
    else sessionStorage.removeItem(place(key, kind));
  } catch {
    // Where the browser keeps nothing, a reload begins anew.
  }
}
