/** Image servers that many know. */
export const SERVERS = [
  'https://images.linuxcontainers.org',
  'https://images.lxd.canonical.com',
  'https://cloud-images.ubuntu.com/releases',
  'https://cloud-images.ubuntu.com/daily',
] as const;
