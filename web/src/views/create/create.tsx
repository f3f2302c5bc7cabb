export function Create({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'create'}</h1>;
}
