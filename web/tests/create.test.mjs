// Instances are made by the form: of an image, of a copy, of nothing; several, in several clouds; and what goes wrong is told.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open, PAGE } from './browser.mjs';
import { startWorld, until } from './world.mjs';

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

let world;
const names = [
  'form-one',
  'form-two',
  'form-two-1',
  'form-two-2',
  'form-copy',
  'form-cloned',
  'form-taken',
  'form-empty',
];

before(async () => {
  world = await startWorld();
  await world.clouds.berlin?.create('form-taken', { config: { 'user.mark': 'was there before' } });
});

after(async () => {
  await closeBrowser();
  for (const server of Object.values(world?.clouds ?? {})) {
    for (const name of names) await server.remove(name);
    for (const name of ['form-small', 'form-large'])
      await server.ask('DELETE', `/1.0/profiles/${name}`).catch(() => {});
  }
  await world?.stop();
});

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin || !world.clouds.paris) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

const submit = (page) => page.getByRole('button', { name: /^Create/ });
const outcome = (page, name) => page.locator('li.outcome').filter({ hasText: name });

async function instance(server, name) {
  return server.ask('GET', `/1.0/instances/${name}`);
}

/** The form with the lists of its cloud. */
async function form(query = '?cloud=berlin', options = {}) {
  const page = await open(world, 'alice', `/create${query}`, options);
  await page.getByRole('heading', { name: 'Made of' }).waitFor();
  return page;
}

real('an instance is made of an image with its size, profiles, settings and user data, and is started', async () => {
  const { berlin } = world.clouds;
  for (const name of ['form-small', 'form-large']) await berlin.ask('POST', '/1.0/profiles', { name });
  const page = await form();
  await page.getByRole('textbox', { name: 'Names' }).fill('form-one');
  await page.getByRole('radio', { name: /busybox/ }).check();
  await page.getByRole('combobox', { name: 'Processors' }).fill('1');
  await page.getByRole('combobox', { name: 'Memory' }).fill('64MiB');
  for (const name of ['form-small', 'form-large'])
    await page.getByRole('combobox', { name: 'Add a profile…' }).selectOption(name);
  await page.getByRole('button', { name: 'Move form-large up' }).click();
  await page.getByText('cloud-init and further settings').click();
  await page.getByRole('textbox', { name: 'Description' }).fill('by the form');
  await page.getByRole('textbox', { name: 'User data of cloud-init' }).fill('#cloud-config\npackages: [nginx]\n');
  await page.getByRole('button', { name: 'Add a setting' }).click();
  await page.getByRole('textbox', { name: 'Key 1' }).fill('user.purpose');
  await page.getByRole('textbox', { name: 'Value 1' }).fill("it's a test");
  await submit(page).click();
  await page.getByRole('link', { name: 'Open form-one' }).waitFor();
  const made = await instance(berlin, 'form-one');
  assert.equal(made.status, 'Running');
  assert.equal(made.description, 'by the form');
  assert.deepEqual(made.profiles, ['default', 'form-large', 'form-small']);
  assert.equal(made.config['limits.cpu'], '1');
  assert.equal(made.config['limits.memory'], '64MiB');
  assert.equal(made.config['user.purpose'], "it's a test");
  assert.equal(made.config['cloud-init.user-data'], '#cloud-config\npackages: [nginx]\n');
  await page.getByRole('link', { name: 'Open form-one' }).click();
  assert.equal(page.url(), `${PAGE}/instances/berlin/default/form-one`);
  await close(page);
});

real(
  'several are made in several clouds by keyboard, each with an outcome; one that fails can be tried again',
  async () => {
    const { berlin, lisbon } = world.clouds;
    if (!lisbon) return;
    const page = await form('?cloud=berlin&image=busybox&name=form-two');
    await page.getByRole('checkbox', { name: 'lisbon' }).focus();
    await page.keyboard.press('Space');
    await page.getByRole('textbox', { name: 'How many' }).fill('2');
    await page.getByText('They are named form-two-1, form-two-2.').waitFor();
    await page.getByRole('checkbox', { name: 'Start it' }).focus();
    await page.keyboard.press('Space');
    // The page does not know yet of one that comes between.
    let between;
    await page.route('**/berlin/projects/default/instances', async (route) => {
      between ??= berlin.create('form-two-1');
      await between;
      await route.continue();
    });
    await page.getByRole('button', { name: 'Create 4 instances' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: '3 of 4 made' }).waitFor();
    const failed = page.locator('li.outcome').filter({ hasText: 'failed' });
    assert.match(await failed.textContent(), /form-two-1.*berlin.*already/s);
    for (const name of ['form-two-1', 'form-two-2'])
      assert.equal((await instance(lisbon, name)).status, 'Stopped', 'it was not to be started');
    assert.equal(await page.getByRole('textbox', { name: 'Names' }).inputValue(), 'form-two', 'the form is as it was');
    await berlin.remove('form-two-1');
    await page.getByRole('button', { name: 'Try the failed one again' }).click();
    await page.getByRole('status').filter({ hasText: '4 of 4 made' }).waitFor();
    await instance(berlin, 'form-two-1');
    await close(page);
  },
);

real('an instance is copied into another cloud and started there', async () => {
  const { berlin, paris } = world.clouds;
  await berlin.ask('POST', '/1.0/instances/form-taken/snapshots', { name: 'before' });
  const page = await form('?cloud=paris&copy=berlin/default/form-taken/before');
  await page.getByText('berlin/default/form-taken').waitFor();
  await page
    .getByRole('combobox', { name: 'As of' })
    .locator('option', { hasText: 'before' })
    .waitFor({ state: 'attached' });
  assert.equal(await page.getByRole('combobox', { name: 'As of' }).inputValue(), 'before');
  await page.getByRole('textbox', { name: 'Names' }).fill('form-copy');
  await page.getByRole('checkbox', { name: 'Start it' }).check();
  await submit(page).click();
  await page.getByRole('link', { name: 'Open form-copy' }).waitFor();
  const copy = await instance(paris, 'form-copy');
  assert.equal(copy.status, 'Running');
  assert.equal(copy.config['user.mark'], 'was there before');
  await close(page);
});

real('a source is found by a part of its name, and its copy in the same place needs another name', async () => {
  const page = await form();
  await page.getByRole('radio', { name: 'A copy' }).check();
  await page.getByRole('searchbox', { name: 'Name of an instance' }).fill('rm-take');
  await page.getByRole('button', { name: /form-taken/ }).click();
  await submit(page).click();
  await page.getByText('The copy needs another name').first().waitFor();
  await page.getByRole('textbox', { name: 'Names' }).fill('form-cloned');
  await submit(page).click();
  await page.getByRole('link', { name: 'Open form-cloned' }).waitFor();
  assert.equal((await instance(world.clouds.berlin, 'form-cloned')).status, 'Stopped');
  await close(page);
});

real('an empty virtual machine or container is made with a root disk of its own', async () => {
  const page = await form();
  await page.getByRole('radio', { name: 'Nothing' }).check();
  await page.getByRole('textbox', { name: 'Names' }).fill('form-empty');
  await page.getByRole('button', { name: 'Take default off' }).click();
  await submit(page).click();
  await page.getByText('These profiles have no root disk').first().waitFor();
  await page.getByRole('combobox', { name: 'Storage pool' }).selectOption('default');
  await submit(page).click();
  await page.getByRole('link', { name: 'Open form-empty' }).waitFor();
  const made = await instance(world.clouds.berlin, 'form-empty');
  assert.deepEqual(made.profiles, []);
  assert.deepEqual(made.devices.root, { path: '/', pool: 'default', type: 'disk' });
  await close(page);
});

real('what is wrong is told at its field before anything is sent', async () => {
  const page = await form('?cloud=berlin&image=busybox');
  let sent = 0;
  page.on('request', (request) => {
    if (request.method() === 'POST') sent++;
  });
  const field = page.getByRole('textbox', { name: 'Names' });
  for (const [name, told] of [
    ['1st', /1st: letters, digits and dashes/],
    ['-a', /-a: letters/],
    ['a-', /a-: letters/],
    ['a_b', /a_b: letters/],
    ['a'.repeat(64), /up to 63/],
    ['ok ok', /ok is there twice/],
    ['form-taken', /berlin\/default has an instance form-taken already/],
  ]) {
    await field.fill(name);
    await submit(page).click();
    await page.getByRole('alert').filter({ hasText: told }).first().waitFor();
    assert.equal(await field.evaluate((input) => input === document.activeElement), true, 'the field has the focus');
  }
  await field.fill('-');
  await submit(page).click();
  await page.getByRole('radio', { name: 'A copy' }).check();
  await page.getByRole('searchbox', { name: 'Name of an instance' }).fill('form-taken');
  await page.getByRole('button', { name: /form-taken/ }).click();
  await page.getByRole('button', { name: 'Choose another' }).waitFor();
  await page.getByRole('radio', { name: 'An image of the cloud' }).check();
  await field.fill('form-one-more');
  await page.getByRole('combobox', { name: 'Memory' }).fill('a lot');
  await submit(page).click();
  await page.getByText('A number with a unit').first().waitFor();
  await page.getByRole('combobox', { name: 'Memory' }).fill('');
  await page.getByRole('checkbox', { name: 'paris' }).check();
  await page.getByText('paris/default has no image busybox').first().waitFor();
  assert.equal(sent, 0);
  await close(page);
});

real('what the server refuses is told in its words, and the form stays as it was', async () => {
  const page = await form('?cloud=berlin&image=busybox&name=form-refused');
  await page.getByText('cloud-init and further settings').click();
  await page.getByRole('button', { name: 'Add a setting' }).click();
  await page.getByRole('textbox', { name: 'Key 1' }).fill('limits.nonsense');
  await page.getByRole('textbox', { name: 'Value 1' }).fill('1');
  await submit(page).click();
  const failed = outcome(page, 'form-refused');
  await failed.getByText('failed', { exact: true }).waitFor();
  assert.match(await failed.textContent(), /limits\.nonsense/);
  assert.equal(await page.getByRole('textbox', { name: 'Names' }).inputValue(), 'form-refused');
  assert.equal(await page.getByRole('textbox', { name: 'Key 1' }).inputValue(), 'limits.nonsense');
  await close(page);
});

real('an image server is fetched from by the cloud, whose own words tell a failure', async () => {
  const page = await form('?cloud=berlin&name=form-far');
  await page.getByRole('radio', { name: 'An image server' }).check();
  await page.getByText('berlin fetches it by its own network').waitFor();
  await page.getByRole('combobox', { name: 'Address of the server' }).fill('http://images.invalid');
  await submit(page).click();
  await page.getByText('It begins with https://').first().waitFor();
  await page.getByRole('combobox', { name: 'Address of the server' }).fill('https://images.invalid');
  await page.getByRole('textbox', { name: 'Image', exact: true }).fill('debian/12');
  const asked = page.waitForRequest((request) => request.method() === 'POST');
  await submit(page).click();
  assert.deepEqual((await asked).postDataJSON().origin, {
    server: { url: 'https://images.invalid', protocol: 'simplestreams', image: 'debian/12' },
  });
  const failed = outcome(page, 'form-far');
  await failed.getByText('failed', { exact: true }).waitFor();
  assert.match(await failed.textContent(), /images\.invalid/);
  await close(page);
});

real('a job is shown in the words of the cloud, and cancelled', async () => {
  const page = await form('?cloud=berlin&image=busybox&name=form-slow');
  const job = (status) => ({
    id: 'j1',
    node: 'n',
    action: 'create',
    status,
    by: {},
    created_at: '2026-01-01T00:00:00Z',
    parts: [
      {
        cloud: 'berlin',
        project: 'default',
        object: 'instances/form-slow',
        status,
        operations: [],
        stage: 'rootfs: 42%',
        bytes: 1048576,
        total: 2097152,
      },
    ],
  });
  let status = 'running';
  await page.route('**/projects/default/instances', (route) => route.fulfill({ status: 202, json: job('running') }));
  await page.route('**/api/v1/jobs', (route) => route.fulfill({ json: [job(status)] }));
  await page.route('**/api/v1/jobs/j1', (route) => {
    assert.equal(route.request().method(), 'DELETE');
    status = 'cancelled';
    return route.fulfill({ status: 202, json: job('running') });
  });
  await submit(page).click();
  const one = outcome(page, 'form-slow');
  await one.getByText('rootfs: 42% 1 MiB of 2 MiB').waitFor();
  await one.getByRole('button', { name: 'Cancel form-slow' }).click();
  await one.getByText('cancelled', { exact: true }).waitFor();
  await close(page);
});

real('the command that is copied says what the form says', async () => {
  const page = await form('?cloud=berlin&image=busybox&name=form-one');
  await page.getByRole('combobox', { name: 'Memory' }).fill('64MiB');
  await page.getByRole('combobox', { name: 'Root disk', exact: true }).fill('1GiB');
  await page.evaluate(() => {
    document.addEventListener('copy', () => {
      window.copied = document.activeElement.value;
    });
  });
  const command = async () => {
    await page.getByRole('button', { name: 'Copy as command' }).click();
    return page.evaluate(() => window.copied);
  };
  assert.equal(
    await command(),
    'kolaboree-node lxd launch busybox berlin:form-one -c limits.memory=64MiB -d root,size=1GiB',
  );
  await page.getByRole('radio', { name: 'A copy' }).check();
  await page
    .getByRole('button', { name: /form-taken/ })
    .first()
    .click();
  await page.getByRole('combobox', { name: 'Cloud' }).selectOption('paris');
  await page.getByRole('checkbox', { name: 'Start it' }).check();
  assert.equal(
    await command(),
    'kolaboree-node lxd copy berlin:form-taken paris:form-one --target-project default -c limits.memory=64MiB -d root,size=1GiB\n' +
      'kolaboree-node lxd start paris:form-one',
  );
  await page.reload();
  await page.getByRole('heading', { name: 'Made of' }).waitFor();
  assert.equal(await page.getByRole('combobox', { name: 'Cloud' }).inputValue(), 'berlin', 'the address goes first');
  await page.goto(`${PAGE}/create`);
  await until('the last place is remembered', async () => {
    return (await page.getByRole('combobox', { name: 'Cloud' }).inputValue()) === 'paris';
  });
  await close(page);
});

test('who may not edit is told so', async () => {
  const page = await open(world, 'bob', '/create');
  await page.getByRole('heading', { name: 'You may not create instances' }).waitFor();
  assert.equal(await submit(page).count(), 0);
  await close(page);
});

for (const [size, theme, locale] of [
  ['laptop', 'light', 'en-US'],
  ['phone', 'dark', 'es-ES'],
]) {
  real(`the form has no serious fault of accessibility: ${size}, ${theme}, ${locale}`, async () => {
    const page = await open(world, 'alice', '/create?cloud=berlin&name=1', { size, theme, locale });
    await page.getByText('busybox').first().waitFor();
    await page.locator('summary').click();
    await page.locator('form button[type=submit]').click();
    await page.locator('.problem').waitFor();
    await page.evaluate(`${AXE}; void 0`);
    const { violations } = await page.evaluate(() => window.axe.run());
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    assert.deepEqual(
      grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
      [],
    );
    const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(width <= 0, 'nothing is wider than the screen');
    await close(page);
  });
}
