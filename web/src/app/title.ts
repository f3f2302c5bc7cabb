import { useEffect } from 'preact/hooks';

/** Names what is looked at in the title of the page, while it is looked at. */
export function useTitle(...names: string[]): void {
  const title = [...names.filter(Boolean), 'Kolaboree'].join(' — ');
  useEffect(() => {
    const before = document.title;
    document.title = title;
    return () => {
      document.title = before;
    };
  }, [title]);
}
