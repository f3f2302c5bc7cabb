// The bar at the top and the list of views.
import { Button } from '../components/button';
import { Icon } from '../components/icon';
import { Menu } from '../components/menu';
import { language } from '../i18n/language';
import { words } from '../i18n/shell';
import { showAddress } from './address';
import { Notices } from './notices';
import { showKeys, showPalette } from './palette';
import { go, place, to } from './router';
import { theme } from './settings';
import { may, me } from './store';

type Name = keyof typeof words.value.views;

const ICONS: Record<Name, string> = {
  overview: 'layout-dashboard',
  instances: 'box',
  create: 'plus',
  images: 'disc',
  profiles: 'sliders-horizontal',
  projects: 'layers',
  networks: 'network',
  storage: 'hard-drive',
  warnings: 'triangle-alert',
  members: 'server',
  operations: 'activity',
  audit: 'scroll-text',
  access: 'key-round',
};

/** Those that a phone shows at the bottom; the others are behind "more". */
const NEAR: Name[] = ['overview', 'instances', 'operations'];
const FAR: Name[] = ['images', 'profiles', 'projects', 'networks', 'storage', 'members', 'warnings'];
const OWN: Name[] = ['audit', 'access'];

function addressOf(name: Name): string {
  return name === 'overview' ? '/' : to(name);
}

function isShown(name: Name): boolean {
  return name !== 'audit' || may('admin');
}

export function Navigation() {
  const t = words.value;
  const here = place.value.parts[0] ?? 'overview';
  const item = (name: Name, wide: boolean) => (
    <a
      key={name}
      class={wide ? 'item wide' : 'item'}
      href={addressOf(name)}
      aria-current={here === name ? 'page' : undefined}
    >
      <Icon name={ICONS[name]} />
      {t.views[name]}
    </a>
  );
  const more = [...FAR, ...OWN].filter(isShown);
  return (
    <>
      <header class="topbar">
        <Button kind="plain" icon="search" class="goto" onClick={showPalette}>
          <span class="quiet">{t.searchAll}</span>
          <kbd class="quiet small wide">Ctrl K</kbd>
        </Button>
        <span class="grow" />
        {may('edit') && (
          <a class="button primary" href="/create">
            <Icon name="plus" />
            {t.views.create}
          </a>
        )}
        <Settings />
      </header>
      <nav class="nav" aria-label={t.navigation}>
        <a class="brand" href="/">
          <Icon name="cloud" />
          Kolaboree
        </a>
        {NEAR.map((name) => item(name, false))}
        <div class="divider" />
        {FAR.map((name) => item(name, true))}
        <div class="divider" />
        {OWN.filter(isShown).map((name) => item(name, true))}
        <div class="more">
          <Menu
            label={t.navigation}
            icon="menu"
            kind="plain"
            choices={more.map((name) => ({ label: t.views[name], icon: ICONS[name], href: addressOf(name) }))}
          />
        </div>
      </nav>
      <Notices />
    </>
  );
}

function Settings() {
  const t = words.value;
  const caller = me.value?.caller;
  return (
    <Menu
      label={t.settings}
      icon="user"
      kind="plain"
      choices={[
        {
          label: caller?.user?.login ?? caller?.node.name ?? t.you,
          hint: caller?.user ? caller.node.name : undefined,
          icon: 'key-round',
          run: () => go('/access'),
        },
        ...(['system', 'light', 'dark'] as const).map((name) => ({
          label: t.themes[name],
          icon: { system: 'sun-moon', light: 'sun', dark: 'moon' }[name],
          checked: theme.value === name,
          run: () => {
            theme.value = name;
          },
        })),
        ...(['en', 'es'] as const).map((name) => ({
          label: { en: 'English', es: 'Español' }[name],
          icon: 'languages',
          checked: language.value === name,
          run: () => {
            language.value = name;
          },
        })),
        { label: t.address, icon: 'qr-code', run: showAddress },
        { label: t.keys, icon: 'circle-help', hint: '?', run: showKeys },
      ]}
    />
  );
}
