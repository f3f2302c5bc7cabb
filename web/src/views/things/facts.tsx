// Parts of what is shown of a thing: facts, settings, devices, and what uses it.
import type { ComponentChildren } from 'preact';
import type { Devices } from '../../api/things';
import { to } from '../../app/router';
import { may } from '../../app/store';
import { words as common } from '../../i18n/common';
import { count } from '../../i18n/format';
import { words } from '../../i18n/things';

/** Facts with their names; what is not known is left out. */
export function Facts({ facts }: { facts: [name: string, value: ComponentChildren][] }) {
  const known = facts.filter(([, value]) => value !== undefined && value !== null && value !== '');
  if (known.length === 0) return null;
  return (
    <dl class="facts card">
      {known.map(([name, value]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

export function yesOrNo(value: boolean | undefined): string {
  return value === undefined ? '' : value ? common.value.yes : common.value.no;
}

function Pairs({ of }: { of: Record<string, string> }) {
  return (
    <dl class="facts">
      {Object.entries(of).map(([key, value]) => (
        <>
          <dt key={key} class="mono">
            {key}
          </dt>
          <dd class="mono pre">{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** Settings by their keys. */
export function Config({
  config,
  title,
  cloud,
  project,
}: {
  config: Record<string, string> | null | undefined;
  title?: string;
  cloud: string;
  project?: string;
}) {
  const t = words.value;
  const sorted = Object.fromEntries(Object.entries(config ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
  return (
    <section class="card stack">
      <h2>{title ?? t.settings}</h2>
      {Object.keys(sorted).length > 0 ? <Pairs of={sorted} /> : <p class="quiet">{t.noSettings}</p>}
      {!title && !may('edit', cloud, project || undefined) && <p class="quiet small">{t.hidden}</p>}
    </section>
  );
}

export function DeviceList({ devices }: { devices: Devices | null | undefined }) {
  const t = words.value;
  const all = Object.entries(devices ?? {});
  return (
    <section class="card stack">
      <h2>{t.devices}</h2>
      {all.length === 0 && <p class="quiet">{t.noDevices}</p>}
      {all.map(([name, settings]) => (
        <section key={name} class="stack">
          <h3 class="mono">{name}</h3>
          <Pairs of={settings} />
        </section>
      ))}
    </section>
  );
}

type User = { kind: keyof typeof words.value.kinds; name: string; href?: string };

/** What the address of something in a cloud's own API is about, and where this page shows it. */
export function userOf(cloud: string, address: string): User {
  const url = new URL(address, 'http://cloud');
  const project = url.searchParams.get('project') ?? 'default';
  const [, kind = '', name = '', ...rest] = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
  const more = project === 'default' ? '' : ` (${project})`;
  switch (kind) {
    case 'instances':
    case 'containers':
    case 'virtual-machines': {
      const snapshot = rest[0] === 'snapshots' ? `/${rest[1]}` : '';
      return { kind: 'instances', name: name + snapshot + more, href: to('instances', cloud, project, name) };
    }
    case 'profiles':
    case 'networks':
      return { kind, name: name + more, href: to(kind, cloud, project, name) };
    case 'images':
      return { kind, name: name.slice(0, 12) + more, href: to(kind, cloud, project, name) };
    case 'projects':
      return { kind, name, href: to(kind, cloud, name) };
    case 'storage-pools':
      return { kind: 'volumes', name: `${name}: ${rest.slice(1).join('/')}${more}`, href: to('storage', cloud, name) };
    default:
      return { kind: 'others', name: address };
  }
}

/** No more are listed of a kind. */
const MOST = 100;

export function UsedBy({ cloud, addresses }: { cloud: string; addresses: string[] | null | undefined }) {
  const t = words.value;
  const groups = new Map<User['kind'], User[]>();
  for (const address of addresses ?? []) {
    const user = userOf(cloud, address);
    groups.set(user.kind, [...(groups.get(user.kind) ?? []), user]);
  }
  return (
    <section class="card stack">
      <h2>{t.usedBy}</h2>
      {groups.size === 0 ? (
        <p class="quiet">{t.unused}</p>
      ) : (
        <dl class="facts">
          {[...groups].map(([kind, users]) => (
            <>
              <dt key={kind}>{t.kinds[kind]}</dt>
              <dd class="row">
                {users.slice(0, MOST).map(({ name, href }) => (
                  <span key={name} class="chip">
                    {href ? <a href={href}>{name}</a> : <span class="mono">{name}</span>}
                  </span>
                ))}
                {users.length > MOST && <span class="quiet">{t.andMore(users.length - MOST)}</span>}
              </dd>
            </>
          ))}
        </dl>
      )}
    </section>
  );
}

/** How many use it, for a column. */
export function countOf(addresses: string[] | null | undefined): string {
  return count(addresses?.length ?? 0);
}
