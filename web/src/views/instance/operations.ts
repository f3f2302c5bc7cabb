// The operations of clouds that are about one instance.
import type { InstanceKey, OperationView } from '../../api/types';
import { operations } from '../../app/store';

function concerns(operation: OperationView, { cloud, project, name }: InstanceKey): boolean {
  if (operation.cloud !== cloud || (operation.project || 'default') !== project) return false;
  const path = `/1.0/instances/${encodeURIComponent(name)}`;
  return (operation.resources ?? []).some((resource) => {
    const [address = ''] = resource.split('?');
    return address === path || address.startsWith(`${path}/`);
  });
}

export function operationsOf(key: InstanceKey): OperationView[] {
  return [...operations.value.values()].filter((operation) => concerns(operation, key));
}
