// Where an instance is reached: by the state that its server tells, or else by what the list knows.
import type { Instance, InstanceRow } from '../../api/types';

type Address = { device: string; address: string; isLocal: boolean; hwaddr: string };

export function addressesOf(instance: Instance | null, row: InstanceRow): Address[] {
  const networks = Object.entries(instance?.state?.network ?? {}).filter(([, network]) => network.type !== 'loopback');
  if (networks.length === 0) {
    const known = row.state?.addresses ?? [];
    return known.map(({ address = '', interface: device = '' }) => ({ device, address, isLocal: false, hwaddr: '' }));
  }
  const all = networks.flatMap(([device, { addresses, hwaddr = '' }]) => {
    const own = (addresses ?? []).map(({ address, scope }) => ({ device, address, isLocal: scope === 'link', hwaddr }));
    return own.length > 0 ? own : [{ device, address: '', isLocal: false, hwaddr }];
  });
  return all.sort((a, b) => Number(a.isLocal) - Number(b.isLocal) || a.device.localeCompare(b.device));
}
