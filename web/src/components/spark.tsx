/** A line of values over time; a gap where there is none. */
export function Spark({ values, label, most }: { values: (number | null)[]; label: string; most?: number }) {
  const known = values.filter((value): value is number => value !== null);
  const top = Math.max(most ?? 0, ...known, 1e-9);
  const step = values.length > 1 ? 100 / (values.length - 1) : 0;
  let line = '';
  let pen = 'M';
  values.forEach((value, at) => {
    if (value === null) {
      pen = 'M';
      return;
    }
    line += `${pen}${(at * step).toFixed(2)} ${(30 - (value / top) * 28).toFixed(2)}`;
    pen = 'L';
  });
  return (
    <svg class="spark" viewBox="0 0 100 32" preserveAspectRatio="none" role="img" aria-label={label}>
      <path d={line} />
    </svg>
  );
}
