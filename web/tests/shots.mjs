// A picture of every view, in both themes and three sizes: `npm run shots` under .ci/with-incus .ci/with-lxd writes them to web/shots.
// `npm run shots -- page` makes the one of the README alone.
import { mkdir, rm } from 'node:fs/promises';
import { closeBrowser, open, SIZES } from './browser.mjs';
import { startWorld } from './world.mjs';

const FOLDER = new URL('../shots/', import.meta.url).pathname;

const VIEWS = {
  overview: '/',
  instances: '/instances',
  'instances-none': '/instances?q=nothing-of-this-name',
  instance: '/instances/berlin/default/c1',
  configuration: '/instances/berlin/default/c1/configuration',
  devices: '/instances/berlin/default/c1/devices',
  snapshots: '/instances/berlin/default/c1/snapshots',
  backups: '/instances/berlin/default/c1/backups',
  logs: '/instances/berlin/default/c1/logs',
  terminal: '/instances/berlin/default/c1/terminal',
  console: '/instances/lisbon/default/c1/console',
  files: '/instances/berlin/default/c1/files',
  'instance-gone': '/instances/berlin/default/nobody',
  create: '/create',
  images: '/images',
  profiles: '/profiles',
  projects: '/projects',
  networks: '/networks',
  storage: '/storage',
  warnings: '/warnings',
  members: '/members',
  operations: '/operations',
  audit: '/audit',
  access: '/access',
  'no-view': '/elsewhere',
};

/** How long a view gets to be still, in milliseconds. */
const REST = 1_500;

const isPage = process.argv[2] === 'page';
if (!isPage) await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
const world = await startWorld();
const { berlin, paris, lisbon } = world.clouds;
const made = [];
for (const [server, names] of [
  [berlin, ['web', 'mail', 'build']],
  [paris, ['web', 'archive']],
  [lisbon, ['web']],
]) {
  for (const name of server ? names : []) {
    await server.create(name, { description: name === 'web' ? 'Shop, front end' : '' });
    made.push([server, name]);
  }
}
async function all() {
  for (const theme of ['light', 'dark']) {
    for (const size of Object.keys(SIZES)) {
      const page = await open(world, 'alice', null, { size, theme });
      for (const [name, path] of Object.entries(VIEWS)) {
        await page.goto(`http://kolaboree-node${path}`);
        await page.waitForTimeout(REST);
        await page.screenshot({ path: `${FOLDER}${name}-${size}-${theme}.png` });
      }
      await page.context().close();
    }
    const page = await open(world, 'carol', '/', { theme });
    await page.waitForTimeout(REST);
    await page.screenshot({ path: `${FOLDER}no-right-laptop-${theme}.png` });
    await page.context().close();
  }
}

/** The list of instances, some of which run. */
async function ofReadme() {
  for (const [server, name] of [
    [berlin, 'mail'],
    [lisbon, 'web'],
  ]) {
    await server?.state(name, 'start');
  }
  const page = await open(world, 'alice', '/instances', { size: 'tablet' });
  await page.waitForTimeout(REST * 4);
  const clip = { x: 0, y: 0, width: SIZES.tablet.width, height: 470 };
  await page.screenshot({ path: new URL('../page.png', import.meta.url).pathname, clip });
  await page.context().close();
}

try {
  await (isPage ? ofReadme() : all());
} finally {
  for (const [server, name] of made) await server.remove(name);
  await closeBrowser();
  await world.stop();
}
