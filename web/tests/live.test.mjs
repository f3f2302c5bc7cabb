// The page follows what happens: over a lost link, a silent one, a node that ends and begins anew, rights that go.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { close, closeBrowser, open } from './browser.mjs';
import { startLink } from './link.mjs';
import { PEOPLE, startWorld, until } from './world.mjs';

let world;
let link;
const names = ['live-a', 'live-b'];

before(async () => {
  world = await startWorld({ people: ['alice', 'bob'] });
  link = await startLink(world.proxies.alice);
  world.proxies.alice = link.proxy;
  if (world.clouds.berlin)
    for (const name of names) await world.clouds.berlin.create(name, { description: 'as it was' });
});

after(async () => {
  await closeBrowser();
  link?.stop();
  for (const name of names) await world?.clouds.berlin?.remove(name);
  await world?.stop();
});

beforeEach(() => link.mend());

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

const describe = (name, description) => world.clouds.berlin.ask('PATCH', `/1.0/instances/${name}`, { description });

async function list() {
  const page = await open(world, 'alice', '/instances?q=live-');
  await page.evaluate(() => localStorage.setItem('kolaboree.columns', '["status","description"]'));
  await page.reload();
  await page.getByText('as it was').first().waitFor();
  return page;
}

real('nothing is missed while the link is cut', async () => {
  const page = await list();
  link.cut();
  await page.getByText('Reconnecting').waitFor();
  await describe('live-a', 'changed while away');
  await world.clouds.berlin.create('live-c');
  link.mend();
  await page.getByText('changed while away').waitFor();
  await page.getByRole('link', { name: 'live-c' }).waitFor();
  await page.getByText('Reconnecting').waitFor({ state: 'detached' });
  await world.clouds.berlin.remove('live-c');
  await page.getByRole('link', { name: 'live-c' }).waitFor({ state: 'detached' });
  await describe('live-a', 'as it was');
  await close(page);
});

real('a link that has fallen silent is noticed, as after the sleep of a laptop', async () => {
  const page = await list();
  link.silence();
  await describe('live-b', 'changed in silence');
  await page.getByText('Reconnecting').waitFor();
  link.mend();
  await page.getByText('changed in silence').waitFor();
  await describe('live-b', 'as it was');
  await close(page);
});

real('a node that is killed and started again is found again', async () => {
  const page = await list();
  await world.node.end('SIGKILL');
  await page.getByText('Reconnecting').waitFor();
  await describe('live-a', 'changed without a node');
  await world.startNode();
  await page.getByText('changed without a node').waitFor();
  await page.getByText('Reconnecting').waitFor({ state: 'detached' });
  await describe('live-a', 'as it was');
  await close(page);
});

real('several tabs share one stream of events', async () => {
  const page = await list();
  const second = await page.context().newPage();
  const streams = [];
  page.context().on('request', (request) => request.url().includes('/events') && streams.push(request.url()));
  await second.goto(page.url());
  await second.getByText('as it was').first().waitFor();
  await describe('live-a', 'for both');
  await Promise.all([page, second].map((one) => one.getByText('for both').waitFor()));
  await describe('live-a', 'as it was');
  assert.deepEqual(streams, []);
  await close(page);
});

test('a newer build of the page is offered', async () => {
  const page = await open(world, 'alice', '/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.equal(await page.getByText('newer build').count(), 0);
  await page.route('**/api/v1/me', async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), page: 'another' } });
  });
  link.cut();
  await page.getByText('Reconnecting').waitFor();
  link.mend();
  await page.getByText('newer build').waitFor();
  await close(page);
});

test('rights that go and come are followed without a reload', async () => {
  const page = await open(world, 'alice', '/instances');
  await page.getByRole('link', { name: 'Create' }).waitFor();
  await world.configure({ rights: { alice: null } });
  world.reload();
  await page.getByText('may not view').waitFor();
  await world.configure({ rights: { alice: PEOPLE.alice } });
  world.reload();
  await until('the rights are back', async () => {
    await page
      .getByRole('button', { name: 'Try again' })
      .click()
      .catch(() => {});
    return (await page.getByRole('link', { name: 'Create' }).count()) > 0;
  });
  await close(page);
});
