// The things of the API by their names. What a cloud's own API gives as it is has its shape here.
import type { components } from './schema';

type Schemas = components['schemas'];

export type InstanceKey = Schemas['InstanceKey'];
export type InstanceRow = Schemas['InstanceRow'];
export type InstanceUsage = Schemas['InstanceUsage'];
export type Used = Schemas['Used'];
export type CloudView = Schemas['CloudView'];
export type Freshness = Schemas['Freshness'];
export type NodeView = Schemas['NodeView'];
export type Peer = Schemas['Peer'];
export type Report = Schemas['Report'];
export type Finding = Schemas['Finding'];
export type JobView = Schemas['JobView'];
export type PartView = Schemas['PartView'];
export type OperationView = Schemas['OperationView'];
export type Folder = Schemas['Folder'];
export type FileView = Schemas['FileView'];
export type NewInstance = Schemas['NewInstance'];
export type NewCopy = Schemas['NewCopy'];
export type NewOrigin = Schemas['NewOrigin'];
export type NewImageCopy = Schemas['NewImageCopy'];
export type CopyMode = Schemas['CopyMode'];
export type StateAction = Schemas['StateAction'];
export type Settings = Schemas['Settings'];

/** What a caller may be allowed to do. */
export type Verb = 'view' | 'operate' | 'edit' | 'files' | 'exec' | 'metrics' | 'admin';

/** A right: these verbs in these projects of these clouds; `*` is all. */
export type Grant = { clouds: string[]; projects: string[]; verbs: Verb[] };

export type Caller = {
  address: string;
  node: { id: string; name: string };
  tags: string[];
  user?: { id: number; login: string; display_name: string } | null;
  kind: 'user' | 'tagged' | 'foreign' | 'routed';
  rights: Grant[];
};

export type Me = Omit<Schemas['Me'], 'caller'> & { caller: Caller };

/** What is missing: for the policy of the tailnet, and as a rule of kolaboree.yaml. */
export type Missing = { policy: Record<string, unknown>; rule: Grant & { who: string[] } };

export type Problem = Omit<Schemas['Problem'], 'caller' | 'grant'> & { caller?: Caller; grant?: Missing };

export type ListOf<T> = { items: T[]; next?: string | null; total: number; clouds: Freshness[] };

/** A change of the inventory, as events tell it. */
export type Change =
  | { kind: 'instance'; row: InstanceRow }
  | { kind: 'instance-gone'; row: InstanceKey }
  | { kind: 'operation'; row: OperationView }
  | { kind: 'operation-gone'; row: { cloud: string; id: string } }
  | { kind: 'image' | 'image-gone' | 'cloud'; row: { cloud?: string; name?: string } }
  | { kind: 'cloud-gone'; row: string };

type Config = Record<string, string>;
type Devices = Record<string, Record<string, string>>;

/** An instance with all its parts, as LXD and Incus give it with `recursion=1`. */
export type Instance = {
  name: string;
  project?: string;
  description?: string;
  architecture?: string;
  type: string;
  status: string;
  ephemeral?: boolean;
  stateful?: boolean;
  created_at?: string;
  last_used_at?: string;
  location?: string;
  profiles?: string[];
  config?: Config;
  devices?: Devices;
  expanded_config?: Config;
  expanded_devices?: Devices;
  snapshots?: Snapshot[] | null;
  backups?: { name: string; created_at?: string; expires_at?: string }[] | null;
  state?: InstanceState | null;
};

export type InstanceState = {
  network?: Record<string, InstanceNetwork> | null;
  disk?: Record<string, { usage?: number; total?: number }> | null;
  [part: string]: unknown;
};

export type InstanceNetwork = {
  addresses?: { family: string; address: string; netmask: string; scope: string }[] | null;
  hwaddr?: string;
  state?: string;
  type?: string;
};

export type Snapshot = {
  name: string;
  created_at?: string;
  expires_at?: string;
  stateful?: boolean;
  size?: number;
};

export type WholeInstance = Omit<Schemas['WholeInstance'], 'instance'> & { instance?: Instance | null };

/** A record of the audit. */
export type AuditRecord = {
  id: string;
  time: string;
  request: string;
  user?: { id: number; login: string };
  node: { id: string; name: string };
  tags?: string[];
  address: string;
  verb: Verb;
  action: string;
  cloud?: string;
  project?: string;
  object?: string;
  detail?: string;
  result: 'running' | 'done' | 'failed' | 'cancelled' | 'denied' | 'unknown';
  error?: string;
  code?: number;
  count: number;
};
