export function Audit({ parts }: { parts: string[] }) {
  return <h1>{parts.join('/') || 'audit'}</h1>;
}
