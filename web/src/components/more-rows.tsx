import { useEffect, useRef } from 'preact/hooks';

/** Stands at the end of a list, and has more rows drawn when it comes into sight. */
export function MoreRows({ more }: { more: () => void }) {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!end.current) return;
    const seen = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), {
      rootMargin: '600px',
    });
    seen.observe(end.current);
    return () => seen.disconnect();
  });
  return <div ref={end} aria-hidden="true" />;
}
