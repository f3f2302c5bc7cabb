// Images, profiles, projects, networks, storage, warnings and members of all clouds: looked at, and images changed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open, PAGE } from './browser.mjs';
import { startWorld, until } from './world.mjs';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const EVIL = '<img src=x onerror="window.pwned = 1">';
const KINDS = ['images', 'profiles', 'projects', 'networks', 'storage', 'warnings', 'members'];

let world;

before(async () => {
  world = await startWorld();
  const { berlin } = world.clouds;
  if (!berlin) return;
  await berlin.ask('POST', '/1.0/profiles', {
    name: 'thing-big',
    description: EVIL,
    config: { 'limits.cpu': '3', 'user.secret': 'hush' },
    devices: { web: { type: 'proxy', listen: 'tcp:127.0.0.1:18080', connect: 'tcp:127.0.0.1:80' } },
  });
  await berlin.create('thing-user');
  await berlin.ask('PATCH', '/1.0/instances/thing-user', { profiles: ['default', 'thing-big'] });
  await berlin.ask('POST', '/1.0/projects', {
    name: 'thing-own',
    config: { 'features.images': 'true', 'features.profiles': 'true' },
  });
  await berlin.ask('POST', '/1.0/projects', {
    name: 'thing-shared',
    config: { 'features.images': 'false', 'features.profiles': 'false' },
  });
});

after(async () => {
  await closeBrowser();
  const { berlin } = world?.clouds ?? {};
  await berlin?.remove('thing-user');
  for (const server of Object.values(world?.clouds ?? {})) {
    for (const project of ['default', 'thing-own']) {
      const query = `?recursion=1&project=${project}`;
      for (const { aliases, fingerprint } of await server.ask('GET', `/1.0/images${query}`).catch(() => []))
        if (project !== 'default' || aliases.some(({ name }) => name.startsWith('thing-')))
          await server.ask('DELETE', `/1.0/images/${fingerprint}?project=${project}`);
    }
  }
  for (const path of ['profiles/thing-big', 'projects/thing-own', 'projects/thing-shared'])
    await berlin?.ask('DELETE', `/1.0/${path}`).catch(() => {});
  await world?.stop();
});

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin || !world.clouds.paris) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

const rows = (page) => page.locator('table.things tbody tr');
const row = (page, ...texts) =>
  texts.reduce((found, text) => found.filter({ has: page.getByText(text, { exact: true }) }), rows(page));

async function fingerprint(server) {
  const [image] = await server.ask('GET', '/1.0/images?recursion=1');
  return image.fingerprint;
}

/** The projects that the node knows are read anew after a while. */
async function knows(page, project) {
  await until(`the node knows ${project}`, async () =>
    page.evaluate(async (name) => {
      const clouds = await (await fetch('/api/v1/clouds')).json();
      return clouds.some(({ projects }) => projects.includes(name));
    }, project),
  );
  await page.reload();
}

real('the profiles of all clouds are in one list, which is searched, filtered and sorted by the address', async () => {
  const page = await open(world, 'alice', '/profiles');
  await row(page, 'default', 'berlin').first().waitFor();
  await row(page, 'default', 'paris').first().waitFor();
  await page.getByRole('searchbox', { name: 'Search the list' }).fill('thing-b');
  await row(page, 'thing-big', 'berlin').waitFor();
  assert.equal(await rows(page).count(), 1);
  await page.getByRole('searchbox', { name: 'Search the list' }).fill('nothing is named so');
  await page.getByRole('button', { name: 'Clear the filters' }).click();
  await page.getByRole('combobox', { name: 'All clouds' }).selectOption('paris');
  await until('only those of paris', async () => (await row(page, 'berlin').count()) === 0);
  await page.getByRole('button', { name: 'Used by', exact: true }).click();
  await page.getByRole('button', { name: 'Used by', exact: true }).click();
  assert.match(page.url(), /cloud=paris&sort=-users/);
  await page.goto(`${PAGE}/profiles?sort=-users`);
  await page.getByRole('columnheader', { name: 'Used by' }).and(page.locator('[aria-sort=descending]')).waitFor();
  await close(page);
});

real('all about a profile is shown as text, and leads to what uses it', async () => {
  const page = await open(world, 'alice', '/profiles?q=thing-big');
  await page.getByRole('link', { name: 'thing-big' }).click();
  await page.getByRole('heading', { level: 1, name: 'thing-big' }).waitFor();
  await page.getByText(EVIL).waitFor();
  assert.match(await page.title(), /^thing-big — berlin\/default/);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
  for (const text of ['limits.cpu', 'user.secret', 'hush', 'tcp:127.0.0.1:18080'])
    await page.getByText(text).first().waitFor();
  await page.getByRole('link', { name: 'thing-user' }).click();
  await page.waitForURL('**/instances/berlin/default/thing-user');
  await close(page);
});

real('who may only look sees no secret, and why nothing can be done', async () => {
  const page = await open(world, 'bob', '/profiles/berlin/default/thing-big');
  await page.getByText('limits.cpu').waitFor();
  await page.getByText('Settings that may hold secrets').waitFor();
  assert.equal(await page.getByText('hush').count(), 0);
  await page.goto(`${PAGE}/images/berlin/default/${await fingerprint(world.clouds.berlin)}`);
  const remove = page.getByRole('button', { name: 'Delete' });
  await remove.waitFor();
  assert.equal(await remove.isDisabled(), true);
  assert.match(await remove.getAttribute('title'), /you may not edit here/);
  assert.equal(await page.getByRole('link', { name: 'Make an instance of it' }).count(), 0);
  await close(page);
});

real('a cloud that fails tells why and leaves the others in the list', async () => {
  const page = await open(world, 'alice', null);
  let broken = true;
  await page.route('**/clouds/berlin/projects/*/networks', (route) =>
    broken
      ? route.fulfill({
          status: 504,
          json: { code: 'timeout', status: 504, title: 'timeout', detail: 'berlin is asleep', remedy: 'wake it' },
        })
      : route.continue(),
  );
  await page.goto(`${PAGE}/networks`);
  await page.getByText('berlin did not tell:').waitFor();
  await page.getByText('berlin is asleep').waitFor();
  await row(page, 'lo', 'paris').waitFor();
  assert.equal(await row(page, 'berlin').count(), 0);
  broken = false;
  await page.getByRole('button', { name: 'Try again' }).click();
  await row(page, 'lo', 'berlin').waitFor();
  broken = true;
  await page.getByRole('button', { name: 'Load again' }).click();
  await page.getByText('berlin: what is shown may be old:').waitFor();
  await row(page, 'lo', 'berlin').waitFor();
  await page.goto(`${PAGE}/networks/berlin/default/lo`);
  await page.getByText('berlin is asleep').waitFor();
  await close(page);
});

real('a project that has no profiles of its own does not show those of default again', async () => {
  const page = await open(world, 'alice', '/profiles');
  await knows(page, 'thing-shared');
  await row(page, 'default', 'thing-own').waitFor();
  await row(page, 'thing-big', 'berlin').waitFor();
  assert.equal(await row(page, 'thing-shared').count(), 0);
  await page.goto(`${PAGE}/projects/berlin/thing-own`);
  await page.getByText('features.images').waitFor();
  await page.getByRole('link', { name: 'Its instances' }).click();
  await page.waitForURL('**/instances?cloud=berlin&project=thing-own');
  await close(page);
});

real('an image is copied to another project and cloud, and deleted after a question', async () => {
  const page = await open(world, 'alice', '/images');
  await knows(page, 'thing-own');
  const here = row(page, 'busybox', 'berlin', 'default');
  const copy = async (cloud, project) => {
    await here.getByRole('button', { name: 'Actions: busybox' }).click();
    await page.getByRole('menuitem', { name: 'Copy to…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'To the cloud' }).selectOption(cloud);
    await dialog.getByRole('combobox', { name: 'To the project' }).selectOption(project);
    return dialog.getByRole('button', { name: 'Copy', exact: true });
  };
  assert.equal(await (await copy('berlin', 'default')).isDisabled(), true, 'it is there already');
  await page.keyboard.press('Escape');
  await (await copy('berlin', 'thing-own')).click();
  await row(page, 'busybox', 'berlin', 'thing-own').waitFor();
  await (await copy('paris', 'default')).click();
  const copied = row(page, 'busybox', 'paris');
  await copied.waitFor();
  await copied.getByRole('button', { name: 'Actions: busybox' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByText('paris/default/busybox').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await copied.waitFor();
  await copied.getByRole('link', { name: 'busybox' }).click();
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL('**/images');
  await until('it is gone', async () => (await copied.count()) === 0);
  assert.deepEqual(await world.clouds.paris.ask('GET', '/1.0/images'), []);
  await close(page);
});

real('an image that another one makes comes into the list, and an instance is made of it', async () => {
  const { berlin } = world.clouds;
  const page = await open(world, 'alice', '/images?q=thing-new');
  await page.getByText('Nothing matches').waitFor();
  await berlin.ask('POST', '/1.0/images', {
    source: { type: 'instance', name: 'thing-user' },
    aliases: [{ name: 'thing-new' }],
  });
  const image = row(page, 'thing-new', 'berlin');
  await image.waitFor();
  await image.getByRole('button', { name: 'Actions: thing-new' }).click();
  await page.getByRole('menuitem', { name: 'Make an instance of it' }).click();
  await page.waitForURL('**/create?*');
  await page
    .getByRole('radio', { name: /thing-new/ })
    .and(page.locator(':checked'))
    .waitFor();
  await close(page);
});

real('an image is downloaded, and the same file is uploaded into another cloud', async () => {
  const { berlin, paris } = world.clouds;
  const page = await open(world, 'alice', `/images/berlin/default/${await fingerprint(berlin)}`);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  await page.goto(`${PAGE}/images`);
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('menuitem', { name: 'From a file of yours' }).click();
  const dialog = page.getByRole('dialog');
  assert.equal(await dialog.getByRole('button', { name: 'Upload' }).isDisabled(), true, 'there is no file yet');
  await dialog.getByRole('combobox', { name: 'To the cloud' }).selectOption('paris');
  await dialog.locator('input[type=file]').setInputFiles(await file.path());
  await dialog.getByRole('textbox', { name: 'Alias here' }).fill('thing-sent');
  await dialog.getByRole('button', { name: 'Upload' }).click();
  await row(page, 'thing-sent', 'paris').waitFor();
  assert.equal(await fingerprint(paris), await fingerprint(berlin), 'not a byte is another one');
  await close(page);
});

real('an image server that the cloud cannot reach is told in its words', async () => {
  const page = await open(world, 'alice', '/images');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('menuitem', { name: 'From an image server' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: 'Address of the server' }).fill('https://images.invalid');
  await dialog.getByRole('button', { name: 'Have it fetched' }).click();
  await dialog.getByText('Name an image').waitFor();
  await dialog.getByRole('textbox', { name: 'Image', exact: true }).fill('debian/12');
  await dialog.getByRole('button', { name: 'Have it fetched' }).click();
  await page.locator('.toast.bad').filter({ hasText: 'images.invalid' }).waitFor();
  await close(page);
});

real('a pool leads to its volumes and their users, and warnings come with the gravest first', async () => {
  const page = await open(world, 'alice', '/storage/berlin/default');
  const volume = row(page, 'thing-user', 'container').first();
  await volume.getByRole('link', { name: 'thing-user' }).waitFor();
  const all = ['low', 'high', 'moderate'].map((severity, at) => ({
    uuid: `u${at}`,
    type: `Warning ${severity}`,
    severity,
    status: 'new',
    count: at + 1,
    last_seen_at: '2026-01-01T00:00:00Z',
    last_message: 'a message',
  }));
  await page.route('**/clouds/*/warnings', (route) =>
    route.fulfill({ json: route.request().url().includes('berlin') ? all : [] }),
  );
  await page.goto(`${PAGE}/warnings`);
  await rows(page).nth(2).waitFor();
  assert.deepEqual(await rows(page).locator('th').allTextContents(), [
    'Warning high',
    'Warning moderate',
    'Warning low',
  ]);
  await page.getByRole('link', { name: 'Warning high' }).click();
  await page.getByText('a message').waitFor();
  await close(page);
});

real('where no cloud is a cluster that is said, and members of one are shown with their roles', async () => {
  const page = await open(world, 'alice', '/members');
  await page.getByRole('heading', { name: 'None of the clouds is a cluster' }).waitFor();
  await page.route('**/clouds/*/cluster/members', (route) =>
    route.fulfill({
      json: [{ server_name: 'm1', status: 'Offline', message: 'No heartbeat', roles: ['database', 'ovn-chassis'] }],
    }),
  );
  await page.getByRole('button', { name: 'Load again' }).click();
  await row(page, 'm1', 'berlin', 'Offline', 'database, ovn-chassis').waitFor();
  await close(page);
});

real('who sees only a project of a cloud is told what is missing for the whole cloud', async () => {
  if (!world.configure) return;
  const some = `{who: ['user:carol@example.com'], clouds: [berlin], projects: [default], verbs: [view]}`;
  await world.configure({ rights: { carol: some } });
  world.reload();
  const page = await open(world, 'carol', '/profiles');
  await until('the right has come', async () => {
    await page.reload();
    await page.waitForTimeout(500);
    return (await row(page, 'thing-big', 'berlin').count()) > 0;
  });
  assert.equal(await row(page, 'paris').count(), 0);
  await page.goto(`${PAGE}/warnings`);
  await page.getByText('berlin did not tell:').waitFor();
  await page.getByRole('button', { name: 'Why?' }).click();
  await page.getByRole('dialog').getByText('kolaboree.dev/cap/clouds').waitFor();
  await close(page);
  await world.configure({});
  world.reload();
});

for (const [size, theme, locale] of [
  ['laptop', 'dark', 'en-US'],
  ['phone', 'light', 'es-ES'],
]) {
  real(`no list, detail or dialog has a serious fault of accessibility: ${size}, ${theme}, ${locale}`, async () => {
    const page = await open(world, 'alice', null, { size, theme, locale });
    const grave = async () => {
      await page.evaluate(`${AXE}; void 0`);
      const { violations } = await page.evaluate(() => window.axe.run());
      const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      return [...found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`), Math.max(wide, 0)];
    };
    const image = `images/berlin/default/${await fingerprint(world.clouds.berlin)}`;
    for (const path of [...KINDS, 'profiles/berlin/default/thing-big', 'storage/berlin/default', image]) {
      await page.goto(`${PAGE}/${path}`);
      await page.locator('h1').waitFor();
      await page.locator('table.things, .facts, .empty h2').first().waitFor();
      assert.deepEqual(await grave(), [0], path);
    }
    await page.getByRole('button', { name: /Copy to|Copiar a/ }).click();
    await page.getByRole('dialog').waitFor();
    assert.deepEqual(await grave(), [0], 'the dialog of a copy');
    await close(page);
  });
}
