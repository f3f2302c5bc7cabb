// Numbers and times as the language writes them.
import { language } from './language';

/** A count. */
export function count(value: number): string {
  return new Intl.NumberFormat(language.value).format(value);
}

/** A count with its noun, in the form that the number asks for. */
export function counted(value: number, one: string, other: string): string {
  const form = new Intl.PluralRules(language.value).select(value) === 'one' ? one : other;
  return `${count(value)} ${form}`;
}

/** A size in bytes, in powers of 1024 as `lxc` has them. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1);
  const number = value / 1024 ** power;
  const digits = power === 0 || number >= 100 ? 0 : number >= 10 ? 1 : 2;
  return `${new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(number)} ${units[power]}`;
}

export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return '';
  const digits = value < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value)} %`;
}

export function milliseconds(value: number): string {
  const digits = value < 10 ? 1 : 0;
  return `${new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value)} ms`;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

/** How long ago or ahead a moment is. */
export function relative(moment: Date, now: number): string {
  const seconds = (moment.getTime() - now) / 1000;
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  const format = new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' });
  return format.format(Math.trunc(seconds / size), unit);
}

export function exact(moment: Date): string {
  return new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(moment);
}

/** A time of LXD or of ours, in RFC 3339 or in seconds. None where it says that something never was. */
export function moment(time: string | number | null | undefined): Date | null {
  if (time === null || time === undefined || time === '') return null;
  const date = new Date(typeof time === 'number' ? time * 1000 : time);
  return Number.isNaN(date.getTime()) || date.getTime() <= 0 ? null : date;
}
