// A picture of every view, in both themes and three sizes: `npm run shots` under .ci/with-incus .ci/with-lxd writes them to web/shots.
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

await rm(FOLDER, { recursive: true, force: true });
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
try {
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
} finally {
  for (const [server, name] of made) await server.remove(name);
  await closeBrowser();
  await world.stop();
}
