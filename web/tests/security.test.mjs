// Other sites and what instances contain get nowhere, in a real browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { close, closeBrowser, EXECUTABLE, open, PAGE } from './browser.mjs';
import { startLink } from './link.mjs';
import { startWorld } from './world.mjs';

let world;
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>{{7*7}}';

before(async () => {
  world = await startWorld({ people: ['alice'] });
  await world.clouds.berlin?.create('hostile', { description: HOSTILE, config: { 'user.x': HOSTILE } });
});

after(async () => {
  await closeBrowser();
  await world?.clouds.berlin?.remove('hostile');
  await world?.stop();
});

/** Newer browsers let no page of the internet ask a private address: the node has to defend itself where they do. */
const UNGUARDED = '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests';

/** What a page of another site gets: it is loaded as that site, whose name leads to the node by then, and tries this. */
async function attack(origin, tries) {
  const link = await startLink(world.proxies.alice, { [new URL(origin).hostname]: 'kolaboree-node' });
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-gpu', UNGUARDED],
    proxy: { server: link.proxy },
  });
  const page = await browser.newPage();
  await page.route(`${origin}/attack`, (route) => route.fulfill({ contentType: 'text/html', body: '<h1>hello</h1>' }));
  await page.goto(`${origin}/attack`);
  const got = await page.evaluate(tries);
  await browser.close();
  link.stop();
  return got;
}

const read = async () => {
  const status = (address, options) =>
    fetch(address, options).then(
      (answer) => answer.status,
      () => 'failed',
    );
  const change = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"action":"start"}' };
  return {
    document: await status('/'),
    me: await status('/api/v1/me'),
    instances: await status('/api/v1/instances'),
    events: await status('/api/v1/events'),
    change: await status('/api/v1/clouds/berlin/projects/default/instances/c1/state', change),
  };
};

test('a name of another site that leads to the node gets nothing (DNS rebinding)', async () => {
  const got = await attack('http://evil.example', read);
  assert.deepEqual(got, { document: 421, me: 421, instances: 421, events: 421, change: 421 });
});

test('a page of another site can neither read nor change anything, nor open a terminal', async () => {
  const got = await attack('http://other.example', async () => {
    const node = 'http://kolaboree-node';
    const tried = (promise) =>
      promise.then(
        () => 'done',
        () => 'refused',
      );
    const path = '/api/v1/clouds/berlin/projects/default/instances/c1';
    const socket = new WebSocket(`ws://kolaboree-node${path}/exec`);
    const opened = await new Promise((done) => {
      socket.onopen = () => done('open');
      socket.onerror = () => done('refused');
    });
    const image = await new Promise((done) => {
      const one = new Image();
      one.onload = () => done('loaded');
      one.onerror = () => done('refused');
      one.src = `${node}/assets/icons.svg`;
      document.body.append(one);
    });
    const frame = document.createElement('iframe');
    frame.src = `${node}/`;
    document.body.append(frame);
    await new Promise((done) => setTimeout(done, 1_000));
    return {
      read: await tried(fetch(`${node}/api/v1/me`)),
      change: await tried(
        fetch(`${node}${path}/state`, {
          method: 'PUT',
          headers: { 'content-type': 'application/json' },
          body: '{"action":"stop","force":true}',
        }),
      ),
      // The answer to this one cannot be read, but it would be done.
      simple: await tried(
        fetch(`${node}/api/v1/instances/state`, {
          method: 'POST',
          mode: 'no-cors',
          headers: { 'content-type': 'text/plain' },
          body: '{}',
        }),
      ),
      opened,
      image,
      framed: frame.contentDocument === null ? 'another site' : frame.contentDocument.title,
    };
  });
  assert.deepEqual(got, {
    read: 'refused',
    change: 'refused',
    simple: 'refused',
    opened: 'refused',
    image: 'refused',
    framed: 'another site',
  });
  if (world.clouds.berlin) {
    const { status } = await world.clouds.berlin.ask('GET', '/1.0/instances/c1');
    assert.equal(status, 'Running', 'nothing was done');
  }
});

test('what an instance contains is text, wherever it is shown', async (t) => {
  if (!world.clouds.berlin) return t.skip('needs .ci/with-lxd');
  const page = await open(world, 'alice', '/instances');
  await page.evaluate(() => localStorage.setItem('kolaboree.columns', '["description"]'));
  await page.reload();
  await page.getByText(HOSTILE).waitFor();
  await page.getByRole('link', { name: 'hostile' }).click();
  await page.getByText(HOSTILE).first().waitFor();
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.match(await page.title(), /hostile/);
  await close(page);
});

test('the page keeps to its policy: no inline script runs, nothing is loaded from elsewhere', async () => {
  const page = await open(world, 'alice', '/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const tried = await page.evaluate(() => {
    try {
      document.body.innerHTML = '<p>as text</p>';
      return 'done';
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(tried, 'TypeError', 'texts become no markup');
  const answer = await page.request.get(`${PAGE}/`);
  const policy = answer.headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'.*'nonce-[0-9a-f]{32}'.*require-trusted-types-for 'script'/);
  const other = await page.request.get(`${PAGE}/`);
  assert.notEqual(policy, other.headers()['content-security-policy'], 'each answer has a nonce of its own');
  const missing = await page.request.get(`${PAGE}/assets/main-OLD.js`, { failOnStatusCode: false });
  assert.equal(missing.status(), 404);
  page.complaints = page.complaints.filter((complaint) => !/TrustedHTML|trusted-types/.test(complaint));
  await close(page);
});
