export function Overview({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'overview'}</h1>;
}
