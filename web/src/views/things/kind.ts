// What a view of things needs to know of a kind.
import type { ComponentChildren, ComponentType } from 'preact';
import { to } from '../../app/router';
import type { THINGS } from '../../app/views';
import type { words } from '../../i18n/things';
import type { Placed, Source } from './load';

export type ThingName = (typeof THINGS)[number];

export type ColumnId = keyof typeof words.value.columns;

export type Column<T> = {
  id: ColumnId;
  number?: boolean;
  cell: (row: Placed<T>) => ComponentChildren;
  /** What it sorts and filters by; what is not known comes last. */
  key: (row: Placed<T>) => string | number | undefined;
  /** Its rank, where the key's own order says nothing. */
  rank?: (row: Placed<T>) => number;
};

export type Kind<T> = {
  name: ThingName;
  icon: string;
  source: Source<T>;
  /** What tells it from others of its project or cloud: the last part of its address. */
  id: (thing: T) => string;
  /** How people name it. */
  title: (thing: T) => string;
  /** What the search looks into, beside what is shown. */
  text: (thing: T) => string;
  columns: Column<T>[];
  /** The columns that the list can be filtered by. */
  filters: ('cloud' | 'project' | 'type' | 'severity')[];
  /** The order at first; the name's without. */
  order?: string;
  /** All about one of them. */
  Detail: ComponentType<{ row: Placed<T> }>;
  /** What can be done with one, beside all about it. */
  Actions?: ComponentType<{ row: Placed<T> }>;
  /** The same in its row of the list. */
  Menu?: ComponentType<{ row: Placed<T> }>;
  /** What can be done with the list. */
  Tools?: ComponentType;
};

/** The address of all about one. */
export function addressOf<T>(kind: Kind<T>, { cloud, project, thing }: Placed<T>): string {
  const place = kind.source.feature !== undefined ? [cloud, project] : [cloud];
  return to(kind.name, ...place, kind.id(thing));
}
