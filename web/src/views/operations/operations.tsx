export function Operations({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'operations'}</h1>;
}
