// How the user wants terminals to be, in this browser.
import { computed } from '@preact/signals';
import { kept } from '../../app/settings';

const SMALLEST = 8;
const LARGEST = 32;

const isSize = (value: unknown): value is number => typeof value === 'number' && value >= SMALLEST && value <= LARGEST;

export const size = kept('terminal.size', 14, isSize);

export const reader = kept('terminal.reader', false, (value): value is boolean => typeof value === 'boolean');

export const isSmallest = computed(() => size.value <= SMALLEST);
export const isLargest = computed(() => size.value >= LARGEST);

export function resize(by: number): void {
  size.value = Math.min(LARGEST, Math.max(SMALLEST, size.value + by));
}
