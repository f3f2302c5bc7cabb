// Which things are shown, in which order: the address says it, as in the list of instances.
import { place, setQuery } from '../../app/router';
import { compare, isKnown } from '../instances/query';
import type { Column, ColumnId, Kind } from './kind';
import type { Placed } from './load';

/** All columns of a kind: its name first, then where it is. */
export function columnsOf<T>({ title, source, columns }: Kind<T>): Column<T>[] {
  const name: Column<T> = { id: 'name', cell: ({ thing }) => title(thing), key: ({ thing }) => title(thing) };
  const cloud: Column<T> = { id: 'cloud', cell: (row) => row.cloud, key: (row) => row.cloud };
  const project: Column<T> = { id: 'project', cell: (row) => row.project, key: (row) => row.project };
  return source.feature !== undefined ? [name, cloud, project, ...columns] : [name, cloud, ...columns];
}

export function orderOf<T>(kind: Kind<T>): { id: string; descending: boolean } {
  const wanted = place.value.query.get('sort') ?? kind.order ?? 'name';
  return { id: wanted.replace(/^-/, ''), descending: wanted.startsWith('-') };
}

/** Sorts by that column; by the same one again the other way round. */
export function sortBy<T>(kind: Kind<T>, id: ColumnId): void {
  const now = orderOf(kind);
  const next = now.id === id && !now.descending ? `-${id}` : id;
  setQuery({ sort: next === (kind.order ?? 'name') ? '' : next });
}

export function clearFilters<T>(kind: Kind<T>): void {
  setQuery({ q: '', ...Object.fromEntries(kind.filters.map((filter) => [filter, ''])) });
}

/** The rows to show, in order. */
export function found<T>(kind: Kind<T>, rows: Placed<T>[]): Placed<T>[] {
  const { query } = place.value;
  const columns = columnsOf(kind);
  const wanted = (query.get('q') ?? '').trim().toLowerCase();
  const asked = kind.filters.flatMap((filter) => {
    const value = query.get(filter);
    const column = columns.find(({ id }) => id === filter);
    return value && column ? [{ value, column }] : [];
  });
  const fits = (row: Placed<T>) =>
    asked.every(({ value, column }) => String(column.key(row) ?? '') === value) &&
    (!wanted || `${kind.title(row.thing)}\n${kind.text(row.thing)}`.toLowerCase().includes(wanted));
  const { id, descending } = orderOf(kind);
  const column = columns.find((one) => one.id === id) ?? (columns[0] as Column<T>);
  const keyed = rows.filter(fits).map((row) => ({ row, key: (column.rank ?? column.key)(row) }));
  keyed.sort((a, b) => {
    const known = Number(isKnown(b.key)) - Number(isKnown(a.key));
    const by = (descending ? -1 : 1) * compare(a.key, b.key);
    return (
      known || by || compare(kind.title(a.row.thing), kind.title(b.row.thing)) || compare(a.row.cloud, b.row.cloud)
    );
  });
  return keyed.map(({ row }) => row);
}

/** The values that a filter can have. */
export function choicesOf<T>(kind: Kind<T>, filter: ColumnId, rows: Placed<T>[]): string[] {
  const column = columnsOf(kind).find(({ id }) => id === filter);
  const chosen = place.value.query.get(filter) ?? '';
  const values = new Set([...rows.map((row) => String(column?.key(row) ?? '')), chosen]);
  return [...values].filter(Boolean).sort(compare);
}
