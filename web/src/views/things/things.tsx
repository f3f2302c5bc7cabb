export function Things({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'things'}</h1>;
}
