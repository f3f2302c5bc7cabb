// What users do with the list and the frame around it: by mouse, by keyboard, on a phone, in Spanish.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open, PAGE } from './browser.mjs';
import { startWorld, until } from './world.mjs';

let world;
const names = ['page-a', 'page-b', 'page-c'];

before(async () => {
  world = await startWorld();
  const { berlin, paris, lisbon } = world.clouds;
  if (!berlin) return;
  for (const name of names) await berlin.create(name, { description: `of ${name}` });
  await paris.create('page-a', { description: 'the other one' });
  await lisbon?.create('page-a');
});

after(async () => {
  await closeBrowser();
  for (const server of Object.values(world?.clouds ?? {})) {
    for (const name of names) await server.remove(name);
  }
  await world?.stop();
});

const row = (page, cloud, name) =>
  page
    .locator('table.instances tbody tr')
    .filter({ has: page.locator(`a[href="/instances/${cloud}/default/${name}"]`) });

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin || !world.clouds.paris) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

real('instances of equal names in several clouds are told apart everywhere', async () => {
  const page = await open(world, 'alice', '/instances?q=page-a');
  await row(page, 'berlin', 'page-a').waitFor();
  await row(page, 'paris', 'page-a').waitFor();
  await page.getByRole('combobox', { name: 'All clouds' }).selectOption('paris');
  await row(page, 'berlin', 'page-a').waitFor({ state: 'detached' });
  assert.match(page.url(), /cloud=paris/, 'filters are in the address');
  await row(page, 'paris', 'page-a').getByRole('link', { name: 'page-a' }).click();
  await page.waitForURL('**/instances/paris/default/page-a');
  await until('the title names the place', async () => /page-a.*paris/.test(await page.title()));
  await close(page);
});

real('an instance is started by mouse and stopped by keyboard alone, and the page follows', async () => {
  const page = await open(world, 'alice', '/instances');
  const one = row(page, 'berlin', 'page-b');
  await one.getByRole('button', { name: 'Start page-b' }).click();
  await one.getByText('Running').waitFor();
  const stop = one.getByRole('button', { name: 'Stop page-b' });
  await stop.focus();
  await page.keyboard.press('Enter');
  // It may not hear of its end: busybox has no init that does.
  const change = world.clouds.berlin.state('page-b', 'stop');
  await one.getByText('Stopped').waitFor();
  await change.catch(() => {});
  await close(page);
});

real('a bulk tells what became of each, and does those again that failed', async () => {
  const page = await open(world, 'alice', '/instances?q=page-&cloud=berlin');
  for (const name of names) await row(page, 'berlin', name).getByRole('checkbox').check();
  const bulk = page.getByRole('region', { name: '3 selected' });
  // One is gone for the server before the page knows of it; the others start.
  await page.route(
    '**/api/v1/instances/state',
    async (route) => {
      const body = route.request().postDataJSON();
      body.instances[0].name = 'page-none';
      await route.continue({ postData: JSON.stringify(body) });
    },
    { times: 1 },
  );
  await bulk.getByRole('button', { name: /^Start/ }).click();
  const outcome = page.getByRole('dialog');
  await outcome.getByText('2 done, 1 failed').waitFor();
  await outcome.getByText('berlin/default/page-none').waitFor();
  await outcome.getByRole('button', { name: 'Retry the 1 that failed' }).click();
  await page.locator('.toast.bad').waitFor();
  for (const name of names.slice(1)) await world.clouds.berlin.state(name, 'stop').catch(() => {});
  await close(page);
});

real('search, sort and chosen columns stay', async () => {
  const page = await open(world, 'alice', '/instances');
  await row(page, 'berlin', 'page-c').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('OF PAGE-C');
  await until('one row is left', async () => (await page.locator('table.instances tbody tr').count()) === 1);
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Description' }).click();
  await page.getByRole('button', { name: 'Name', exact: true }).click();
  await page.reload();
  await page.getByText('of page-c').waitFor();
  assert.equal(await page.getByRole('searchbox').inputValue(), 'OF PAGE-C');
  assert.equal(await page.locator('th[aria-sort]').getAttribute('aria-sort'), 'descending');
  await close(page);
});

test('keys lead anywhere: help, the palette, views', async () => {
  const page = await open(world, 'alice', '/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Go to…' }).waitFor();
  await page.keyboard.type('operat');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Operations', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main', 'who comes by a key hears of the view');
  await page.goBack();
  await page.getByRole('heading', { name: 'Instances', level: 1 }).waitFor();
  await close(page);
});

test('who has no right sees who they are and what to paste; who may only look changes nothing', async () => {
  const carol = await open(world, 'carol', '/instances');
  await carol.getByText('You are carol@example.com').waitFor();
  const shown = await carol.locator('pre').allTextContents();
  assert.match(shown.join('\n'), /kolaboree\.dev\/cap\/clouds[\s\S]*user:carol@example\.com/);
  await close(carol);
  const bob = await open(world, 'bob', '/access');
  await bob.locator('main').getByText('bob@example.com', { exact: true }).waitFor();
  assert.equal(await bob.getByRole('link', { name: 'Create' }).count(), 0);
  assert.equal(await bob.getByRole('link', { name: 'Audit' }).count(), 0);
  const missing = await bob.locator('pre').allTextContents();
  assert.match(missing.join('\n'), /operate, edit, files, exec, metrics, admin/);
  await close(bob);
});

test('a Spanish browser is answered in Spanish, and a choice of language and colours stays', async () => {
  const page = await open(world, 'alice', '/instances', { locale: 'es-ES' });
  await page.getByRole('heading', { name: 'Instancias' }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
  await page.getByRole('button', { name: 'Ajustes' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'Instances' }).waitFor();
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Dark' }).click();
  await page.reload();
  await page.getByRole('heading', { name: 'Instances' }).waitFor();
  const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.match(ground, /rgb\((\d|[1-4]\d), /, 'a dark ground');
  await close(page);
});

test('the address is shown as a code to scan, and how HTTPS is had', async () => {
  const page = await open(world, 'alice', '/');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('menuitem', { name: 'Address of this page' }).click();
  const dialog = page.getByRole('dialog', { name: 'Address of this page' });
  await dialog.getByRole('img', { name: `${PAGE}/` }).waitFor();
  await dialog.getByText('tls: 443').waitFor();
  await dialog.getByRole('button', { name: 'Copy' }).click();
  await page.getByText('Copied', { exact: true }).waitFor();
  await close(page);
});
