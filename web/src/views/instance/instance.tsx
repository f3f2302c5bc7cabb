export function Instance({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'instance'}</h1>;
}
