// The columns of the list: what each shows, and by what it sorts.
import type { ComponentChildren } from 'preact';
import type { InstanceRow } from '../../api/types';
import { kept } from '../../app/settings';
import { Status } from '../../components/status';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { bytes, count } from '../../i18n/format';
import type { words } from '../../i18n/instances';

export type ColumnId = keyof typeof words.value.columns;

type Column = {
  id: ColumnId;
  number?: boolean;
  cell: (row: InstanceRow) => ComponentChildren;
  /** What it sorts by; what is not known comes last. */
  key: (row: InstanceRow) => string | number | undefined;
};

/** Addresses that others reach it by: neither those of its own loopback nor of a link. */
export function addressesOf(row: InstanceRow): string[] {
  const all = row.state?.addresses?.map(({ address = '' }) => address.split('/')[0] ?? '') ?? [];
  return all.filter((address) => address && !/^(127\.|::1$|fe80:)/.test(address));
}

function seconds(value: number | undefined): string {
  if (value === undefined) return '';
  return value < 120
    ? `${value.toFixed(0)} s`
    : value < 7200
      ? `${(value / 60).toFixed(0)} min`
      : `${(value / 3600).toFixed(0)} h`;
}

export const COLUMNS: Column[] = [
  { id: 'cloud', cell: (row) => row.cloud, key: (row) => row.cloud },
  { id: 'project', cell: (row) => row.project, key: (row) => row.project },
  { id: 'status', cell: (row) => <Status status={row.status} />, key: (row) => row.status },
  {
    id: 'type',
    cell: (row) => (common.value.types as Record<string, string>)[row.type] ?? row.type,
    key: (row) => row.type,
  },
  {
    id: 'address',
    cell: (row) => {
      const [first, ...rest] = addressesOf(row);
      if (!first) return null;
      return (
        <span class="mono" title={rest.join('\n') || undefined}>
          {first}
          {rest.length > 0 && <span class="quiet"> +{rest.length}</span>}
        </span>
      );
    },
    key: (row) => addressesOf(row)[0],
  },
  { id: 'cpu', number: true, cell: (row) => seconds(row.state?.cpu_seconds), key: (row) => row.state?.cpu_seconds },
  { id: 'memory', number: true, cell: (row) => bytes(row.state?.memory), key: (row) => row.state?.memory },
  { id: 'disk', number: true, cell: (row) => bytes(row.state?.disk), key: (row) => row.state?.disk },
  {
    id: 'processes',
    number: true,
    cell: (row) => (row.state?.processes === undefined ? '' : count(row.state.processes)),
    key: (row) => row.state?.processes,
  },
  {
    id: 'snapshots',
    number: true,
    cell: (row) => (row.snapshots === undefined || row.snapshots === null ? '' : count(row.snapshots)),
    key: (row) => row.snapshots ?? undefined,
  },
  { id: 'profiles', cell: (row) => row.profiles.join(', '), key: (row) => row.profiles.join(', ') },
  {
    id: 'location',
    cell: (row) => (row.location === 'none' ? '' : row.location),
    key: (row) => (row.location === 'none' ? '' : row.location),
  },
  { id: 'created', cell: (row) => <Time at={row.created_at} />, key: (row) => row.created_at },
  { id: 'used', cell: (row) => <Time at={row.last_used_at} />, key: (row) => row.last_used_at },
  { id: 'description', cell: (row) => row.description, key: (row) => row.description },
];

const NAME: Column = { id: 'name', cell: (row) => row.name, key: (row) => row.name };

export function columnOf(id: string): Column {
  return COLUMNS.find((column) => column.id === id) ?? NAME;
}

const USUAL: ColumnId[] = ['status', 'cloud', 'project', 'address', 'memory', 'snapshots'];

function areColumns(value: unknown): value is ColumnId[] {
  return Array.isArray(value) && value.every((id) => COLUMNS.some((column) => column.id === id));
}

/** The columns that the user has chosen. */
export const chosen = kept<ColumnId[]>('columns', USUAL, areColumns);

export function toggleColumn(id: ColumnId): void {
  const ids = chosen.value.includes(id) ? chosen.value.filter((one) => one !== id) : [...chosen.value, id];
  chosen.value = COLUMNS.map((column) => column.id).filter((one) => ids.includes(one));
}
