// The types of devices that LXD and Incus have, and the keys that people set most.
export const TYPES = ['disk', 'nic', 'proxy', 'gpu', 'usb', 'pci', 'unix-char', 'unix-block', 'tpm', 'none'] as const;

type Known = {
  /** A usual name. */
  example?: string;
  /** Keys that are always shown. */
  needed: string[];
  /** Keys that are offered. */
  keys: string[];
  examples?: Record<string, string>;
};

export const KNOWN: Record<string, Known> = {
  disk: {
    example: 'data',
    needed: ['path', 'source'],
    keys: ['path', 'source', 'pool', 'size', 'readonly', 'required', 'shift', 'limits.read', 'limits.write'],
    examples: { path: '/data', source: '/srv/data', pool: 'default', size: '10GiB' },
  },
  nic: {
    example: 'eth0',
    needed: ['network', 'name'],
    keys: [
      'network',
      'name',
      'nictype',
      'parent',
      'hwaddr',
      'mtu',
      'ipv4.address',
      'ipv6.address',
      'limits.ingress',
      'limits.egress',
      'security.acls',
      'security.mac_filtering',
      'vlan',
    ],
    examples: { network: 'lxdbr0', name: 'eth0', nictype: 'bridged', parent: 'br0', mtu: '1500' },
  },
  proxy: {
    example: 'http',
    needed: ['listen', 'connect'],
    keys: ['listen', 'connect', 'bind', 'nat', 'proxy_protocol', 'uid', 'gid', 'mode'],
    examples: { listen: 'tcp:0.0.0.0:8080', connect: 'tcp:127.0.0.1:80', bind: 'host' },
  },
  gpu: { example: 'gpu', needed: [], keys: ['gputype', 'id', 'pci', 'vendorid', 'productid', 'uid', 'gid', 'mode'] },
  usb: {
    example: 'stick',
    needed: ['vendorid', 'productid'],
    keys: ['vendorid', 'productid', 'busnum', 'devnum', 'serial', 'required', 'uid', 'gid', 'mode'],
  },
  pci: { example: 'card', needed: ['address'], keys: ['address'], examples: { address: '0000:07:00.0' } },
  'unix-char': {
    example: 'tty',
    needed: ['source', 'path'],
    keys: ['source', 'path', 'major', 'minor', 'uid', 'gid', 'mode', 'required'],
    examples: { source: '/dev/ttyUSB0', path: '/dev/ttyUSB0' },
  },
  'unix-block': {
    example: 'block',
    needed: ['source', 'path'],
    keys: ['source', 'path', 'major', 'minor', 'uid', 'gid', 'mode', 'required'],
    examples: { source: '/dev/sdb', path: '/dev/sdb' },
  },
  tpm: { example: 'tpm', needed: [], keys: ['path', 'pathrm'] },
  none: { needed: [], keys: [] },
};
