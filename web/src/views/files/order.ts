// In which order a folder is shown, and what of it.

import type { FileView } from '../../api/types';
import { kept } from '../../app/settings';
import { language } from '../../i18n/language';

export type By = 'name' | 'size' | 'modified' | 'mode' | 'owner';

type Order = { by: By; descending: boolean };

const ALL: By[] = ['name', 'size', 'modified', 'mode', 'owner'];

const isOrder = (value: unknown): value is Order =>
  ALL.includes((value as Order | null)?.by as By) && typeof (value as Order).descending === 'boolean';

export const order = kept<Order>('files.order', { by: 'name', descending: false }, isOrder);

export const hidden = kept('files.hidden', false, (value): value is boolean => typeof value === 'boolean');

/** Sorts by a column; by the same one the other way round. */
export function sortBy(by: By): void {
  const isSame = order.value.by === by;
  order.value = { by, descending: isSame ? !order.value.descending : by === 'size' || by === 'modified' };
}

/** What of a folder is shown, folders first. */
export function ordered(entries: FileView[], text: string): FileView[] {
  const wanted = text.toLowerCase();
  const { by, descending } = order.value;
  const collator = new Intl.Collator(language.value, { numeric: true });
  const numbers = (one: FileView): number =>
    ({
      size: one.size ?? -1,
      modified: one.modified ?? 0,
      mode: Number.parseInt(one.mode, 8),
      owner: one.uid,
      name: 0,
    })[by];
  const sign = descending ? -1 : 1;
  return entries
    .filter(({ name }) => (hidden.value || !name.startsWith('.')) && name.toLowerCase().includes(wanted))
    .sort((one, other) => {
      const kinds = Number(other.kind === 'folder') - Number(one.kind === 'folder');
      const names = collator.compare(one.name, other.name);
      return kinds || sign * (by === 'name' ? names : numbers(one) - numbers(other)) || names;
    });
}
