// Which instances are picked for a bulk.
import { computed, signal } from '@preact/signals';
import type { InstanceRow } from '../../api/types';
import { idOf, instances } from '../../app/store';

const picked = signal<ReadonlySet<string>>(new Set());

/** The rows that are picked, as they are now. What is gone is picked no more. */
export const selection = computed(() =>
  [...picked.value].map((id) => instances.value.get(id)).filter((row): row is InstanceRow => row !== undefined),
);

export function isPicked(row: InstanceRow): boolean {
  return picked.value.has(idOf(row));
}

export function pick(row: InstanceRow, on: boolean): void {
  const next = new Set(picked.value);
  if (on) next.add(idOf(row));
  else next.delete(idOf(row));
  picked.value = next;
}

export function pickOnly(rows: InstanceRow[]): void {
  picked.value = new Set(rows.map(idOf));
}

export function pickNone(): void {
  picked.value = new Set();
}
