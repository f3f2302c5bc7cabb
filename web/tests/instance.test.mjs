// The view of one instance, at real clouds: what it tells, what is done with it, and what it says where that fails.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open } from './browser.mjs';
import { startWorld, until } from './world.mjs';

let world;
const names = ['inst-a', 'inst-b', 'inst-c', 'inst-d', 'inst-e'];
const copies = ['inst-new', 'inst-copy', 'inst-moved', 'inst-back', 'inst-other'];

before(async () => {
  world = await startWorld();
  await clear();
  const { berlin, lisbon } = world.clouds;
  if (!berlin) return;
  for (const name of names) await berlin.create(name, { description: `of ${name}`, config: { 'user.role': 'first' } });
  await lisbon?.create('inst-a', { description: 'the other one' });
});

after(async () => {
  await closeBrowser();
  await clear();
  await world?.stop();
});

async function clear() {
  for (const server of Object.values(world?.clouds ?? {})) {
    for (const name of [...names, ...copies]) {
      await server
        .ask('PATCH', `/1.0/instances/${name}`, { config: { 'security.protection.delete': '' } })
        .catch(() => {});
      await server.remove(name);
    }
  }
}

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

const at = (name, tab = '', cloud = 'berlin') => `/instances/${cloud}/default/${name}${tab && `/${tab}`}`;
const told = (name) => world.clouds.berlin.ask('GET', `/1.0/instances/${name}`);
const change = (name, what) => world.clouds.berlin.ask('PATCH', `/1.0/instances/${name}`, what);
const rowOf = (page, name) => page.getByRole('row', { name: new RegExp(`^${name}\\b`) });
const choose = async (page, what, label) => {
  await rowOf(page, what)
    .getByRole('button', { name: `Actions: ${what}` })
    .click();
  await page.getByRole('menuitem', { name: label }).click();
};

real('an instance is named by its cloud and project, and those of equal names are told apart', async (t) => {
  const page = await open(world, 'alice', at('inst-a'));
  await page.getByRole('heading', { level: 1, name: 'inst-a' }).waitFor();
  await page.getByText('of inst-a').waitFor();
  assert.equal(await page.title(), 'inst-a — berlin/default — Kolaboree');
  if (!world.clouds.lisbon) {
    await close(page);
    return t.skip('the second cloud needs .ci/with-incus');
  }
  await page.goto(`http://kolaboree-node${at('inst-a', '', 'lisbon')}`);
  await page.getByText('the other one').waitFor();
  assert.equal(await page.getByText('of inst-a').count(), 0);
  await close(page);
});

real('its state is changed by a button, and what others do is shown without a reload', async () => {
  const page = await open(world, 'alice', at('inst-b'));
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  const status = page.locator('header.heading [role=status]');
  await status.getByText('Running').waitFor();
  await page.getByText('Processes').waitFor();
  await world.clouds.berlin.state('inst-b', 'freeze');
  await status.getByText('Frozen').waitFor();
  await change('inst-b', { description: 'another text' });
  await page.getByText('another text').waitFor();
  await page.getByRole('button', { name: 'Actions: inst-b' }).click();
  await page.getByRole('menuitem', { name: 'Stop by force' }).click();
  await status.getByText('Stopped').waitFor();
  await close(page);
});

real('where there is no instance, the page says so, and names what it may be', async () => {
  const page = await open(world, 'alice', at('inst-c'));
  await page.getByText('of inst-c').waitFor();
  await world.clouds.berlin.ask('POST', '/1.0/instances/inst-c', { name: 'inst-other' });
  await page.getByRole('heading', { name: 'inst-c is not there any more' }).waitFor();
  await page.getByRole('link', { name: 'berlin/default/inst-other' }).click();
  await page.getByRole('heading', { level: 1, name: 'inst-other' }).waitFor();
  await world.clouds.berlin.ask('POST', '/1.0/instances/inst-other', { name: 'inst-c' });
  await page.goto(`http://kolaboree-node${at('inst-none')}`);
  await page.getByRole('heading', { name: 'There is no instance inst-none' }).waitFor();
  await close(page);
});

real('an instance is renamed, and the page goes with it', async () => {
  const page = await open(world, 'alice', at('inst-c'));
  await page.getByRole('button', { name: 'Actions: inst-c' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByLabel('New name').fill('inst-other');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'inst-other' }).waitFor();
  await world.clouds.berlin.ask('POST', '/1.0/instances/inst-other', { name: 'inst-c' });
  await close(page);
});

real('common settings are changed by the form', async () => {
  const page = await open(world, 'alice', at('inst-a', 'configuration'));
  await page.getByLabel(/^Memory/).fill('64MiB');
  await page.getByLabel(/^Protected from deletion/).selectOption('true');
  await page.getByRole('textbox', { name: 'Description' }).fill('by the form');
  await page.getByText('3 changes are not saved').waitFor();
  // What is not saved stays while the user looks elsewhere.
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('heading', { name: 'Devices of the instance' }).waitFor();
  await page.getByRole('link', { name: 'Configuration' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('3 changes are not saved').waitFor({ state: 'detached' });
  const { config, description } = await told('inst-a');
  assert.equal(description, 'by the form');
  assert.equal(config['limits.memory'], '64MiB');
  assert.equal(config['security.protection.delete'], 'true');
  assert.equal(config['user.role'], 'first', 'what was not changed stays');
  await close(page);
});

real('a change of somebody else is shown, and the own one is kept and applied anew', async () => {
  const page = await open(world, 'alice', at('inst-d', 'configuration'));
  await page.getByLabel(/^Processors/).fill('1');
  // The page does not hear of it before it saves.
  await page.route('**/instances/inst-d', (route) =>
    route.request().method() === 'PUT'
      ? change('inst-d', { config: { 'user.role': 'theirs', 'limits.cpu': '2' } }).then(() => route.continue())
      : route.continue(),
  );
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const conflict = page.getByRole('alert');
  await conflict.getByText('Somebody else has changed these settings').waitFor();
  await conflict.getByRole('row', { name: /user\.role first theirs/ }).waitFor();
  await conflict.getByRole('row', { name: /limits\.cpu you changed it too not set 2/ }).waitFor();
  assert.equal((await told('inst-d')).config['limits.cpu'], '2', 'nothing was written');
  assert.equal(await page.getByLabel(/^Processors/).inputValue(), '1');
  await page.unroute('**/instances/inst-d');
  await conflict.getByRole('button', { name: 'Apply mine anew' }).click();
  await conflict.waitFor({ state: 'detached' });
  await until('both changes hold', async () => {
    const { config } = await told('inst-d');
    return config['limits.cpu'] === '1' && config['user.role'] === 'theirs';
  });
  await close(page);
});

real('all keys are found, set and unset', async () => {
  const page = await open(world, 'alice', `${at('inst-e', 'configuration')}?as=keys`);
  await page.getByLabel('Key or value').fill('user.');
  await choose(page, 'user.role', 'Unset');
  await page.getByRole('button', { name: 'Set a key' }).click();
  await page.getByLabel('Key', { exact: true }).fill('user.note');
  await page.getByLabel('Value', { exact: true }).fill('two\nlines');
  await page.getByRole('button', { name: 'Take over' }).click();
  await page.getByText('2 changes are not saved').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('2 changes are not saved').waitFor({ state: 'detached' });
  const { config } = await told('inst-e');
  assert.equal(config['user.role'], undefined);
  assert.equal(config['user.note'], 'two\nlines');
  await close(page);
});

real('the whole settings are edited as YAML, and a text that is none is told', async () => {
  const page = await open(world, 'alice', `${at('inst-e', 'configuration')}?as=yaml`);
  const text = page.getByRole('textbox', { name: 'YAML' });
  await text.waitFor();
  const before = await text.inputValue();
  assert.match(before, /description: of inst-e/);
  assert.doesNotMatch(before, /volatile\./);
  await text.fill(before.replace('description: of inst-e', 'description: [of'));
  await page.getByText(/^Not valid/).waitFor();
  assert.ok(await page.getByRole('button', { name: 'Save', exact: true }).isDisabled());
  await text.fill(before.replace('description: of inst-e', 'description: "007"'));
  await page.getByText('1 change is not saved').waitFor();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('1 change is not saved').waitFor({ state: 'detached' });
  const { description, config } = await told('inst-e');
  assert.equal(description, '007', 'a text stays a text');
  assert.ok(config['volatile.uuid'], "the server's notes stay");
  await close(page);
});

real('a device is added, changed and removed', async () => {
  const page = await open(world, 'alice', at('inst-e', 'devices'));
  await rowOf(page, 'root').waitFor();
  await page.getByRole('button', { name: 'Add a device' }).click();
  await page.getByLabel('Name').fill('web');
  await page.getByLabel('Type').selectOption('proxy');
  await page.getByLabel('Value of listen').fill('tcp:127.0.0.1:18080');
  await page.getByLabel('Value of connect').fill('tcp:127.0.0.1:80');
  await page.getByRole('dialog').getByRole('button', { name: 'Copy as command' }).click();
  await page.getByRole('button', { name: 'Another key' }).click();
  await page.getByLabel('Value of the key').focus();
  await page.keyboard.press('Control+V');
  assert.equal(
    await page.getByLabel('Value of the key').inputValue(),
    'kolaboree-node lxd config device add berlin:inst-e web proxy connect=tcp:127.0.0.1:80 listen=tcp:127.0.0.1:18080',
  );
  await page.getByRole('button', { name: 'Save' }).click();
  await rowOf(page, 'web').getByText('tcp:127.0.0.1:18080').waitFor();
  await choose(page, 'web', 'Edit');
  await page.getByLabel('Value of connect').fill('tcp:127.0.0.1:81');
  await page.getByRole('button', { name: 'Save' }).click();
  await rowOf(page, 'web').getByText('tcp:127.0.0.1:81').waitFor();
  const { devices } = await told('inst-e');
  assert.deepEqual(devices.web, { type: 'proxy', listen: 'tcp:127.0.0.1:18080', connect: 'tcp:127.0.0.1:81' });
  await choose(page, 'web', 'Remove');
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await rowOf(page, 'web').waitFor({ state: 'detached' });
  assert.equal((await told('inst-e')).devices.web, undefined);
  await close(page);
});

real('what the server refuses is told in its words, in the dialog', async () => {
  const page = await open(world, 'alice', at('inst-e', 'devices'));
  await page.getByRole('button', { name: 'Add a device' }).click();
  await page.getByLabel('Name').fill('wrong');
  await page.getByLabel('Value of path').fill('/data');
  await page.getByLabel('Value of source').fill('/there/is/no/such/folder');
  await page.getByRole('button', { name: 'Save' }).click();
  await page
    .getByRole('dialog')
    .getByRole('alert')
    .getByText(/no\/such\/folder/)
    .waitFor();
  await close(page);
});

real('snapshots are made, renamed, gone back to, copied and deleted', async () => {
  const { berlin } = world.clouds;
  const page = await open(world, 'alice', at('inst-e', 'snapshots'));
  await page.getByRole('button', { name: 'Make a snapshot' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('before');
  await dialog.getByLabel(/^Expires/).fill('2099-01-02T03:04');
  await dialog.getByRole('button', { name: 'Make a snapshot' }).click();
  await rowOf(page, 'before').waitFor();
  const snapshot = await berlin.ask('GET', '/1.0/instances/inst-e/snapshots/before');
  assert.match(snapshot.expires_at, /^2099-01-0[123]/);
  await choose(page, 'before', 'Rename');
  await dialog.getByLabel('New name').fill('earlier');
  await dialog.getByRole('button', { name: 'Rename' }).click();
  await rowOf(page, 'earlier').waitFor();
  await berlin.ask('POST', '/1.0/instances/inst-e/snapshots/earlier', { name: 'theirs' });
  await rowOf(page, 'theirs').waitFor();
  await berlin.ask('POST', '/1.0/instances/inst-e/snapshots/theirs', { name: 'earlier' });
  await rowOf(page, 'earlier').waitFor();
  await change('inst-e', { description: 'after the snapshot' });
  await choose(page, 'earlier', 'Restore');
  await dialog.getByRole('button', { name: 'Restore' }).click();
  await until('it is as it was', async () => (await told('inst-e')).description !== 'after the snapshot');
  await choose(page, 'earlier', 'Copy to a new instance');
  await dialog.getByLabel('Name there').fill('inst-new');
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
  await dialog.getByText('berlin/default/inst-new is there, whole').waitFor();
  await dialog.getByRole('button', { name: 'Open it' }).click();
  await page.getByRole('heading', { level: 1, name: 'inst-new' }).waitFor();
  await page.goBack();
  await choose(page, 'earlier', 'Delete');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'There is no snapshot' }).waitFor();
  await close(page);
});

real('backups are made, fetched, made an instance again and deleted', async () => {
  const page = await open(world, 'alice', at('inst-e', 'backups'));
  await page.getByRole('button', { name: 'Make a backup' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('keep');
  await dialog.getByRole('button', { name: 'Make a backup' }).click();
  await rowOf(page, 'keep').waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download keep' }).click(),
  ]);
  assert.match(download.suggestedFilename(), /^inst-e-keep\.tar/);
  const file = await download.path();
  assert.ok((await readFile(file)).length > 1_000);
  await page.getByRole('button', { name: 'Import a backup' }).click();
  await dialog.getByLabel('File').setInputFiles(file);
  await dialog.getByLabel('Name of the instance').fill('inst-back');
  await dialog.getByRole('button', { name: 'Import a backup' }).click();
  await page.getByRole('heading', { level: 1, name: 'inst-back' }).waitFor();
  await page.goBack();
  await page.getByRole('button', { name: 'Delete the backup keep' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'The server keeps no backup' }).waitFor();
  await close(page);
});

real('logs are shown as text, with a link that stores them', async () => {
  const page = await open(world, 'alice', `${at('inst-b', 'logs')}?log=lxc.log`);
  await world.clouds.berlin.state('inst-b', 'start');
  await page.getByRole('combobox', { name: 'Log' }).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), 'lxc.log');
  await world.clouds.berlin.state('inst-b', 'stop');
  await close(page);
});

real('an instance is copied to another cloud and moved on, by the way that is chosen', async (t) => {
  if (!world.clouds.paris) return t.skip('needs .ci/with-lxd');
  const { paris } = world.clouds;
  const page = await open(world, 'alice', at('inst-d'));
  await page.getByRole('button', { name: 'Actions: inst-d' }).click();
  await page.getByRole('menuitem', { name: 'Copy to…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('To the cloud').selectOption('paris');
  await dialog.getByLabel('Name there').fill('inst-copy');
  await dialog.getByRole('radio', { name: /^Relay/ }).check();
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
  await dialog.getByText('paris/default/inst-copy is there, whole').waitFor();
  await dialog.getByText('This node carried it.').waitFor();
  assert.equal((await paris.ask('GET', '/1.0/instances/inst-copy')).name, 'inst-copy');
  await dialog.getByRole('button', { name: 'Open it' }).click();
  await page.getByRole('heading', { level: 1, name: 'inst-copy' }).waitFor();
  await page.getByRole('button', { name: 'Actions: inst-copy' }).click();
  await page.getByRole('menuitem', { name: 'Move to…' }).click();
  await dialog.getByLabel('To the cloud').selectOption('paris');
  await dialog.getByLabel('Name there').fill('inst-moved');
  await dialog.getByRole('button', { name: 'Move', exact: true }).click();
  await dialog.getByText('paris/default/inst-moved is there, whole').waitFor();
  await dialog.getByRole('button', { name: 'Open it' }).click();
  await page.getByRole('heading', { level: 1, name: 'inst-moved' }).waitFor();
  await page.getByRole('button', { name: 'Actions: inst-moved' }).click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL('**/instances');
  await close(page);
});

real('a copy that goes on is cancelled, and leaves nothing', async (t) => {
  if (!world.clouds.paris) return t.skip('needs .ci/with-lxd');
  const page = await open(world, 'alice', at('inst-d'));
  await page.getByRole('button', { name: 'Actions: inst-d' }).click();
  await page.getByRole('menuitem', { name: 'Copy to…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('To the cloud').selectOption('paris');
  await dialog.getByLabel('Name there').fill('inst-copy');
  // The servers cannot reach each other, and need their time to notice.
  await dialog.getByRole('radio', { name: /^Fetch/ }).check();
  await dialog.getByRole('button', { name: 'Copy', exact: true }).click();
  await dialog.getByRole('button', { name: 'Cancel: Copying' }).click();
  await dialog.getByText('Cancelled: nothing of it is left at the target.').waitFor();
  await assert.rejects(world.clouds.paris.ask('GET', '/1.0/instances/inst-copy'), /not found/i);
  await close(page);
});

real('who may only look changes nothing, and is told why', async () => {
  const page = await open(world, 'bob', at('inst-e'));
  const start = page.getByRole('button', { name: 'Start', exact: true });
  await start.waitFor();
  assert.ok(await start.isDisabled());
  assert.equal(await start.getAttribute('title'), 'you may not operate here');
  await page.getByRole('link', { name: 'Snapshots' }).click();
  assert.ok(await page.getByRole('button', { name: 'Make a snapshot' }).isDisabled());
  await page.getByRole('link', { name: 'Configuration' }).click();
  await page.getByText('Only to look at: you may not edit here').waitFor();
  assert.ok(await page.getByRole('textbox', { name: 'Description' }).isDisabled());
  await close(page);
});

real('a cloud that does not answer leaves what is known, with the reason', async () => {
  const page = await open(world, 'alice', null);
  const why = 'berlin does not answer: no route to it';
  await page.route('**/instances/inst-a', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    await route.fulfill({ response, json: { ...body, instance: null, problem: why } });
  });
  await page.goto(`http://kolaboree-node${at('inst-a', 'configuration')}`);
  await page.getByText(why).waitFor();
  await page.getByRole('rowheader', { name: 'user.role' }).waitFor();
  await page.getByRole('link', { name: 'Devices' }).click();
  await page.getByRole('heading', { name: 'The devices are not known' }).waitFor();
  await close(page);
});

real('what instances contain is shown as text alone', async () => {
  const hostile = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
  await change('inst-a', { description: hostile, config: { 'user.role': hostile } });
  const page = await open(world, 'alice', at('inst-a'));
  await page.getByText(hostile).waitFor();
  for (const shape of ['form', 'keys', 'yaml']) {
    await page.goto(`http://kolaboree-node${at('inst-a', 'configuration')}?as=${shape}`);
    await page.getByText(hostile).first().waitFor();
    assert.equal(await page.locator('main img').count(), 0);
  }
  await close(page);
});

const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** What makes the view hard to use for some. */
async function findings(page) {
  // Not a script of the page: the browser's tools run it.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

real('each tab and dialog is usable for all, in both themes and on a phone', async () => {
  for (const [size, theme] of [
    ['laptop', 'dark'],
    ['phone', 'light'],
  ]) {
    const page = await open(world, 'alice', at('inst-e'), { size, theme });
    await page.getByRole('heading', { level: 1 }).waitFor();
    for (const tab of [
      '',
      'configuration',
      'configuration?as=keys',
      'configuration?as=yaml',
      'devices',
      'snapshots',
      'backups',
      'logs',
    ]) {
      await page.goto(`http://kolaboree-node${at('inst-e', tab)}`);
      await page.locator('main .stack .stack, main .empty').first().waitFor();
      assert.deepEqual(await findings(page), [], `${tab} ${size} ${theme}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${tab} is ${wide} wider than the ${size}`);
    }
    const dialogs = [
      ['', 'Actions: inst-e', 'Rename'],
      ['', 'Actions: inst-e', 'Copy to…'],
      ['devices', 'Add a device', null],
      ['snapshots', 'Make a snapshot', null],
      ['backups', 'Make a backup', null],
      ['backups', 'Import a backup', null],
    ];
    for (const [tab, button, choice] of dialogs) {
      await page.goto(`http://kolaboree-node${at('inst-e', tab)}`);
      await page.getByRole('button', { name: button }).click();
      if (choice) await page.getByRole('menuitem', { name: choice }).click();
      await page.getByRole('dialog').waitFor();
      assert.deepEqual(await findings(page), [], `${button} ${choice} ${size} ${theme}`);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await close(page);
  }
});

real('all of it is there in Spanish', async () => {
  const page = await open(world, 'alice', at('inst-e', 'snapshots'), { locale: 'es-ES' });
  await page.getByRole('heading', { name: 'No hay instantáneas' }).waitFor();
  await page.getByRole('link', { name: 'Copias de seguridad' }).click();
  await page.getByRole('heading', { name: 'El servidor no guarda copias de seguridad' }).waitFor();
  await close(page);
});
