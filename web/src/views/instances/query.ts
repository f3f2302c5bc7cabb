// Which instances are shown, in which order: the address of the view says it, so that it can be kept and sent.
import { computed } from '@preact/signals';
import type { InstanceRow } from '../../api/types';
import { place, setQuery } from '../../app/router';
import { instances } from '../../app/store';
import { columnOf } from './columns';

/** What the query of the address may filter by, but for the text. */
export const FILTERS = ['cloud', 'project', 'status', 'type'] as const;

export type Filter = (typeof FILTERS)[number];

export const filters = computed(() => {
  const { query } = place.value;
  return {
    text: query.get('q') ?? '',
    cloud: query.get('cloud') ?? '',
    project: query.get('project') ?? '',
    status: query.get('status') ?? '',
    type: query.get('type') ?? '',
  };
});

export const order = computed(() => {
  const wanted = place.value.query.get('sort') ?? 'name';
  return { column: columnOf(wanted.replace(/^-/, '')), descending: wanted.startsWith('-') };
});

/** Sorts by that column; by the same one again the other way round. */
export function sortBy(id: string): void {
  const { column, descending } = order.value;
  const next = column.id === id && !descending ? `-${id}` : id;
  setQuery({ sort: next === 'name' ? '' : next });
}

export function clearFilters(): void {
  setQuery({ q: '', ...Object.fromEntries(FILTERS.map((filter) => [filter, ''])) });
}

function matches(row: InstanceRow, text: string): boolean {
  if (row.name.toLowerCase().includes(text) || row.description.toLowerCase().includes(text)) return true;
  return row.state?.addresses?.some(({ address }) => address?.includes(text)) ?? false;
}

const collator = new Intl.Collator(undefined, { numeric: true });

export function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return collator.compare(String(a), String(b));
}

export function isKnown(value: string | number | undefined): boolean {
  return value !== undefined && value !== '';
}

/** The rows to show, in order. */
export const found = computed(() => {
  const { text, cloud, project, status, type } = filters.value;
  const wanted = text.trim().toLowerCase();
  const rows = [...instances.value.values()].filter(
    (row) =>
      (!cloud || row.cloud === cloud) &&
      (!project || row.project === project) &&
      (!status || row.status === status) &&
      (!type || row.type === type) &&
      (!wanted || matches(row, wanted)),
  );
  const { column, descending } = order.value;
  const keyed = rows.map((row) => ({ row, key: column.key(row) }));
  keyed.sort((a, b) => {
    const [knownA, knownB] = [isKnown(a.key), isKnown(b.key)];
    if (knownA !== knownB) return knownA ? -1 : 1;
    const by = (descending ? -1 : 1) * compare(a.key, b.key);
    return (
      by ||
      compare(a.row.name, b.row.name) ||
      compare(a.row.cloud, b.row.cloud) ||
      compare(a.row.project, b.row.project)
    );
  });
  return keyed.map(({ row }) => row);
});

/** The values that a filter can have, of all rows. */
export const choices = computed(() => {
  const all: Record<Filter, Set<string>> = { cloud: new Set(), project: new Set(), status: new Set(), type: new Set() };
  for (const row of instances.value.values()) for (const filter of FILTERS) all[filter].add(row[filter]);
  const chosen = filters.value;
  const sorted = (filter: Filter) => [...all[filter].add(chosen[filter])].filter(Boolean).sort(collator.compare);
  return Object.fromEntries(FILTERS.map((filter) => [filter, sorted(filter)])) as Record<Filter, string[]>;
});
