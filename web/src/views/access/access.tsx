export function Access({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'access'}</h1>;
}
