// What a cloud has beside instances, as LXD and Incus give it. What one of the two does not tell may be missing.
type Config = Record<string, string>;

export type Devices = Record<string, Record<string, string>>;

export type Image = {
  fingerprint: string;
  aliases?: { name: string; description?: string }[] | null;
  architecture?: string;
  auto_update?: boolean;
  cached?: boolean;
  created_at?: string;
  expires_at?: string;
  filename?: string;
  last_used_at?: string;
  profiles?: string[] | null;
  properties?: Config | null;
  public?: boolean;
  size?: number;
  type?: string;
  uploaded_at?: string;
  update_source?: { alias?: string; protocol?: string; server?: string } | null;
};

/** What profiles, projects, networks, pools and volumes have in common. */
type Thing = { name: string; description?: string; config?: Config | null; used_by?: string[] | null };

export type Profile = Thing & { devices?: Devices | null };

export type Project = Thing;

export type Network = Thing & {
  type?: string;
  managed?: boolean;
  status?: string;
  locations?: string[] | null;
};

export type Pool = Thing & { driver?: string; status?: string; locations?: string[] | null };

export type Volume = Thing & {
  pool: string;
  type: string;
  content_type?: string;
  location?: string;
  created_at?: string;
};

export type Warning = {
  uuid: string;
  type: string;
  severity: string;
  status: string;
  count?: number;
  first_seen_at?: string;
  last_seen_at?: string;
  last_message?: string;
  location?: string;
  project?: string;
  entity_url?: string;
};

export type Member = {
  server_name: string;
  status?: string;
  message?: string;
  url?: string;
  architecture?: string;
  description?: string;
  failure_domain?: string;
  database?: boolean;
  roles?: string[] | null;
  groups?: string[] | null;
  config?: Config | null;
};

/** How people name an image: by its first alias, else by the begin of its fingerprint. */
export function imageName({ aliases, fingerprint }: Image): string {
  return aliases?.[0]?.name ?? fingerprint.slice(0, 12);
}
