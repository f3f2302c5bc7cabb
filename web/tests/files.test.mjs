// The files of an instance, at real clouds: what comes and goes is whole, nothing is replaced unasked, and names are text alone.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open as openFile, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open } from './browser.mjs';
import { startWorld, until } from './world.mjs';

let world;
let local;

const NAME = 'files-a';

/** How large the largest upload is, in MiB. */
const LARGE = Number(process.env.LARGE_MIB ?? 256);

before(async () => {
  world = await startWorld();
  local = await mkdtemp(join(tmpdir(), 'files-'));
  // The second server has no image to make a container of.
  for (const server of [world.clouds.berlin, world.clouds.lisbon].filter(Boolean)) {
    await server.remove(NAME);
    await server.create(NAME, { start: true });
  }
});

after(async () => {
  await closeBrowser();
  for (const server of Object.values(world?.clouds ?? {})) await server.remove(NAME);
  await world?.stop();
  if (local) await rm(local, { recursive: true, force: true });
});

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

const at = (path, cloud = 'berlin') => `/instances/${cloud}/default/${NAME}/files?path=${encodeURIComponent(path)}`;

/** Asks the API in the place of the page. */
function api(page, method, path, { query = '', body, cloud = 'berlin' } = {}) {
  const isJson = method !== 'PUT';
  return page.evaluate(
    async ([address, method, body, type]) => {
      const headers = method === 'GET' ? {} : { 'content-type': type, prefer: 'wait=20' };
      const answer = await fetch(address, { method, headers, body });
      if (!answer.ok) throw new Error(`${method} ${address}: ${await answer.text()}`);
      return answer.text();
    },
    [
      `/api/v1/clouds/${cloud}/projects/default/instances/${NAME}/files?path=${encodeURIComponent(path)}${query}`,
      method,
      body,
      isJson ? 'application/json' : 'application/octet-stream',
    ],
  );
}

const entries = async (page, path, more) => JSON.parse(await api(page, 'GET', path, more)).entries;
const write = (page, path, body, query = '') => api(page, 'PUT', path, { query: `&parents=true${query}`, body });
const names = (page) => page.locator('table.files tbody .name').allTextContents();
const asked = (page) => page.locator('dialog').last();
const button = (page, name) => page.getByRole('button', { name, exact: true });
const choose = async (page, name, label) => {
  await button(page, `Actions: ${name}`).click();
  await page.getByRole('menuitem', { name: label }).click();
};

/** An empty folder, in sight. */
async function folder(path, cloud = 'berlin', options = {}) {
  const page = await open(world, 'alice', at('/', cloud), options);
  await page.locator('table.files').waitFor();
  await api(page, 'DELETE', path, { query: '&recursive=true', cloud }).catch(() => {});
  await api(page, 'POST', path, { body: '{"kind":"folder"}', cloud });
  await page.goto(`http://kolaboree-node${at(path, cloud)}`);
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
  return page;
}

const again = (page) => button(page, 'Look again').click();

real('folders are walked by links, sorted, filtered, and what is hidden is shown when asked', async (t) => {
  const clouds = ['berlin', ...(world.clouds.lisbon ? ['lisbon'] : [])];
  for (const cloud of clouds) {
    const page = await folder('/tmp/walk', cloud);
    for (const [name, text] of Object.entries({ 'b10.txt': 'x', 'b9.txt': 'xxx', '.secret': '', 'inner/c.txt': '' })) {
      await api(page, 'PUT', `/tmp/walk/${name}`, { query: '&parents=true', body: text, cloud });
    }
    const link = JSON.stringify({ kind: 'symlink', target: '/tmp/walk/inner' });
    await api(page, 'POST', '/tmp/walk/to', { body: link, cloud });
    await again(page);
    await until('all is there', async () => (await names(page)).length === 4);
    assert.deepEqual(await names(page), ['inner', 'b9.txt', 'b10.txt', 'to']);
    await button(page, 'Size').click();
    assert.deepEqual(await names(page), ['inner', 'b9.txt', 'b10.txt', 'to']);
    await button(page, 'Size').click();
    assert.deepEqual(await names(page), ['inner', 'to', 'b10.txt', 'b9.txt']);
    await button(page, 'Show hidden files').click();
    assert.ok((await names(page)).includes('.secret'));
    await page.keyboard.press('/');
    await page.keyboard.type('B1');
    assert.deepEqual(await names(page), ['b10.txt']);
    await page.getByRole('searchbox').fill('');
    assert.match(await page.getByRole('row', { name: /^Select b9/ }).textContent(), /3 B.*rw-r--r--0:0/);
    await page.getByRole('link', { name: 'inner', exact: true }).click();
    await until('c.txt', async () => (await names(page)).join() === 'c.txt');
    await page.goBack();
    await page.getByText('→ /tmp/walk/inner').waitFor();
    // A link to a folder is followed to where it leads.
    await button(page, 'to').click();
    await until('c.txt', async () => (await names(page)).join() === 'c.txt');
    await page.getByRole('navigation', { name: 'Folder' }).getByRole('link', { name: 'walk' }).click();
    await until('back', async () => (await names(page)).length > 3);
    await close(page);
  }
  if (clouds.length < 2) t.diagnostic('at one cloud alone: the other needs .ci/with-incus');
});

real('files and folders are uploaded whole by picking and by dragging, and nothing is replaced unasked', async () => {
  await mkdir(join(local, 'tree/inner/hollow'), { recursive: true });
  await writeFile(join(local, 'tree/one.txt'), 'one');
  await writeFile(join(local, 'tree/inner/ñ € #1%.txt'), 'two');
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 31) % 251));
  await writeFile(join(local, 'bytes.bin'), bytes);
  const page = await folder('/tmp/up');
  await page.locator('input[type=file][multiple]').setInputFiles([join(local, 'bytes.bin')]);
  await page.getByText('1 file uploaded').waitFor();
  const sum = await page.evaluate(async (address) => {
    const got = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return [got.length, got.every((byte, at) => byte === (at * 31) % 251)];
  }, `/api/v1/clouds/berlin/projects/default/instances/${NAME}/files?path=/tmp/up/bytes.bin`);
  assert.deepEqual(sum, [3_000_000, true]);

  const drag = await page.context().newCDPSession(page);
  const { x, y } = await page.locator('.browser').boundingBox();
  const data = { items: [], files: [join(local, 'tree')], dragOperationsMask: 1 };
  const send = (type) => drag.send('Input.dispatchDragEvent', { type, x: x + 300, y: y + 120, data });
  await send('dragEnter');
  await send('dragOver');
  await page.getByText('Let go to upload into /tmp/up').waitFor();
  await send('drop');
  await page.getByRole('link', { name: 'tree' }).waitFor();
  const inner = async () => (await entries(page, '/tmp/up/tree/inner').catch(() => [])).map(({ name }) => name);
  await until('all is there', async () => (await inner()).join() === 'hollow,ñ € #1%.txt');
  assert.equal(await api(page, 'GET', '/tmp/up/tree/inner/ñ € #1%.txt'), 'two');

  await writeFile(join(local, 'tree/one.txt'), 'changed');
  await writeFile(join(local, 'tree/three.txt'), 'three');
  const pick = () => page.locator('input[webkitdirectory]').setInputFiles(join(local, 'tree'));
  await pick();
  await asked(page).getByText('tree/one.txt').waitFor();
  await asked(page).getByRole('button', { name: 'Leave them as they are' }).click();
  await until('the new one is there', () =>
    api(page, 'GET', '/tmp/up/tree/three.txt').then(
      (text) => text === 'three',
      () => false,
    ),
  );
  assert.equal(await api(page, 'GET', '/tmp/up/tree/one.txt'), 'one');
  await pick();
  await asked(page).getByRole('button', { name: 'Replace all 3' }).click();
  await until('it is replaced', async () => (await api(page, 'GET', '/tmp/up/tree/one.txt')) === 'changed');
  await close(page);
});

real('an upload is cancelled, leaves nothing, and one that fails says why and is tried again', async () => {
  const page = await folder('/tmp/cancel');
  await page.route(/files\?path=.*slow\.bin/, (route) =>
    route.request().method() === 'PUT' ? undefined : route.continue(),
  );
  const input = page.locator('input[type=file][multiple]');
  await input.setInputFiles([{ name: 'slow.bin', mimeType: 'a/b', buffer: Buffer.alloc(1000) }]);
  await button(page, 'Cancel slow.bin').click();
  await page.locator('.uploads').waitFor({ state: 'detached' });
  assert.deepEqual(await entries(page, '/tmp/cancel'), []);

  await write(page, '/tmp/cancel/in-the-way', 'a file');
  await api(page, 'POST', '/tmp/cancel/to', { body: '{"kind":"symlink","target":"/tmp/cancel/in-the-way/x"}' });
  await input.setInputFiles([{ name: 'to', mimeType: 'a/b', buffer: Buffer.from('late') }]);
  await asked(page).getByRole('button', { name: 'Replace it' }).click();
  await page.getByRole('heading', { name: '1 upload failed' }).waitFor();
  const why = await page.locator('.uploads li').textContent();
  assert.match(why, /\/tmp\/cancel\/to.*\w{4}/);
  await api(page, 'DELETE', '/tmp/cancel/to');
  await button(page, 'Retry to').click();
  await page.getByText('1 file uploaded').waitFor();
  assert.equal(await api(page, 'GET', '/tmp/cancel/to'), 'late');
  await close(page);
});

real('a file and a folder are downloaded, and what stands against it is told', async () => {
  const page = await folder('/tmp/down');
  await write(page, '/tmp/down/a b.txt', 'content');
  await write(page, '/tmp/down/inner/deep.txt', 'deep');
  await again(page);
  const [file] = await Promise.all([page.waitForEvent('download'), button(page, 'Download a b.txt').click()]);
  assert.equal(file.suggestedFilename(), 'a b.txt');
  assert.equal(await readFile(await file.path(), 'utf8'), 'content');
  const [tar] = await Promise.all([page.waitForEvent('download'), button(page, 'Download inner as tar').click()]);
  assert.equal(tar.suggestedFilename(), 'inner.tar');
  assert.match(execFileSync('tar', ['-tf', await tar.path()], { encoding: 'utf8' }), /deep\.txt/);
  await api(page, 'DELETE', '/tmp/down/a b.txt');
  await button(page, 'Download a b.txt').click();
  await page.getByText('Not downloaded: a b.txt').waitFor();
  await page.getByText('is not there').waitFor();
  await close(page);
});

real('folders and files are made and deleted, folders with all that is in them when that is meant', async () => {
  const page = await folder('/tmp/make');
  const make = async (kind, name) => {
    await button(page, 'New').click();
    await page.getByRole('menuitem', { name: kind }).click();
    await asked(page).getByRole('textbox').fill('a/b');
    assert.ok(await asked(page).getByRole('button', { name: 'Create' }).isDisabled());
    await asked(page).getByRole('textbox').fill(name);
    await page.keyboard.press('Enter');
  };
  await make('New folder', 'Carpeta ñ');
  await page.getByRole('link', { name: 'Carpeta ñ' }).waitFor();
  await make('New file', 'new.txt');
  // A new file is open at once.
  await page.getByRole('textbox', { name: 'Content of new.txt' }).fill('written');
  await button(page, 'Save').click();
  await page.getByText('Saved: new.txt').waitFor();
  await asked(page).getByRole('button', { name: 'Close' }).last().click();
  assert.equal(await api(page, 'GET', '/tmp/make/new.txt'), 'written');
  await write(page, '/tmp/make/Carpeta ñ/inside.txt', '');
  await choose(page, 'Carpeta ñ', 'Delete');
  await asked(page).getByText('Folders go with everything in them').waitFor();
  await asked(page).getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await entries(page, '/tmp/make')).length, 2);
  await page.getByRole('checkbox', { name: 'Select all that are shown' }).check();
  await page.getByRole('toolbar').getByRole('button', { name: 'Delete' }).click();
  await asked(page).getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('heading', { name: 'This folder is empty' }).waitFor();
  assert.deepEqual(await entries(page, '/tmp/make'), []);
  await close(page);
});

real('what gets another name or folder keeps its content, and replaces only what it is told to', async () => {
  const page = await folder('/tmp/move');
  await write(page, '/tmp/move/one.txt', 'one');
  await write(page, '/tmp/move/two.txt', 'two');
  await write(page, '/tmp/move/inner/three.txt', 'three');
  await again(page);
  const rename = async (name, to) => {
    await choose(page, name, 'Rename or move');
    await asked(page).getByRole('textbox').fill(to);
    await page.keyboard.press('Enter');
  };
  await rename('one.txt', '/tmp/move/inner/ñ 1.txt');
  await page.getByText('It is /tmp/move/inner/ñ 1.txt now').waitFor();
  assert.equal(await api(page, 'GET', '/tmp/move/inner/ñ 1.txt'), 'one');
  await until('it is gone', async () => (await names(page)).join() === 'inner,two.txt');
  await rename('two.txt', '/tmp/move/inner/three.txt');
  await asked(page).getByText('is there already').waitFor();
  await asked(page).getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await api(page, 'GET', '/tmp/move/inner/three.txt'), 'three');
  await rename('two.txt', '/tmp/move/inner/three.txt');
  await asked(page).getByRole('button', { name: 'Replace it' }).click();
  await until('it is replaced', async () => (await api(page, 'GET', '/tmp/move/inner/three.txt')) === 'two');
  await rename('inner', '/tmp/move/outer');
  await page.getByRole('link', { name: 'outer' }).waitFor();
  await close(page);
});

real('an edit keeps mode, owner and ends of lines, and does not go over what somebody else has written', async () => {
  const page = await folder('/tmp/edit');
  await write(page, '/tmp/edit/dos.txt', 'one\r\ntwo\r\n', '&mode=0640&uid=1000&gid=1001');
  await again(page);
  await button(page, 'dos.txt').click();
  const field = page.getByRole('textbox', { name: 'Content of dos.txt' });
  await field.fill('one\nñ €\n');
  await page.keyboard.press('Control+s');
  await page.getByText('Saved: dos.txt').waitFor();
  assert.equal(await api(page, 'GET', '/tmp/edit/dos.txt'), 'one\r\nñ €\r\n');
  const [{ mode, uid, gid }] = await entries(page, '/tmp/edit');
  assert.deepEqual([mode, uid, gid], ['0640', 1000, 1001]);

  await write(page, '/tmp/edit/dos.txt', 'by somebody else');
  await field.fill('mine\n');
  await page.keyboard.press('Control+s');
  await asked(page).getByText('Somebody else has written this file').waitFor();
  await asked(page).getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await api(page, 'GET', '/tmp/edit/dos.txt'), 'by somebody else');
  await page.keyboard.press('Escape');
  await asked(page).getByText('Discard what you have changed?').waitFor();
  await asked(page).getByRole('button', { name: 'Cancel' }).click();
  await field.press('Control+s');
  await asked(page).getByRole('button', { name: 'Save mine' }).click();
  await until('it is saved', async () => (await api(page, 'GET', '/tmp/edit/dos.txt')) === 'mine\r\n');
  await until('it is told', () => page.getByText('As it is in the instance').count());
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await close(page);
});

real('what an edit would damage is not edited', async () => {
  const page = await folder('/tmp/other');
  await write(page, '/tmp/other/mixed.txt', 'one\r\ntwo\n');
  await write(page, '/tmp/other/zero.txt', 'a\0b');
  await page.evaluate(
    (address) =>
      fetch(address, {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: new Uint8Array([0xf1, 0x61]),
      }),
    `/api/v1/clouds/berlin/projects/default/instances/${NAME}/files?path=/tmp/other/latin.txt`,
  );
  await again(page);
  for (const [name, why] of [
    ['mixed.txt', 'Its lines end in different ways'],
    ['zero.txt', 'This is no text in UTF-8'],
    ['latin.txt', 'This is no text in UTF-8'],
  ]) {
    await button(page, name).click();
    await page.getByText(why).waitFor();
    assert.equal(await page.locator('dialog textarea').count(), 0);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
  await close(page);
});

real('names that try to inject, to mislead or to lead elsewhere are text', async () => {
  const page = await folder('/tmp/names');
  const hostile = [
    '<img src=x onerror=document.title="evil">',
    'a\nb',
    'fdp.\u202Eexe',
    '%2e%2e',
    'up\\..\\up',
    '$(id)',
    '#?&',
  ];
  for (const name of hostile) await write(page, `/tmp/names/${name}`, name);
  await api(page, 'POST', '/tmp/names/loop', { body: '{"kind":"symlink","target":"loop"}' });
  await again(page);
  const shown = [...hostile, 'loop'].map((name) => name.replace('\n', '\\n').replace('\u202E', '\\u{202e}'));
  await until('all are there', async () => (await names(page)).length === shown.length);
  assert.deepEqual((await names(page)).sort(), shown.sort());
  assert.equal(await page.locator('main img').count(), 0);
  assert.ok((await page.title()).startsWith(`${NAME} — berlin/default`));
  await button(page, 'loop').click();
  await page.getByText('leads to links without end').waitFor();
  for (const name of shown.filter((name) => name !== 'loop')) {
    await button(page, name).click();
    const field = asked(page).getByRole('textbox');
    const real = hostile.find((one) => one.replace('\n', '\\n').replace('\u202E', '\\u{202e}') === name);
    await until(`the content of ${name}`, async () => (await field.inputValue().catch(() => '')) === real);
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
  }
  await close(page);
});

real('a large file goes up with flat memory in the browser', async () => {
  const path = join(local, 'large.bin');
  const file = await openFile(path, 'w');
  await file.truncate(LARGE * 2 ** 20);
  await file.close();
  const page = await folder('/tmp/large');
  const session = await page.context().browser().newBrowserCDPSession();
  const memory = async () => {
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const sizes = processInfo.map(async ({ id }) => {
      const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
      return Number(status.match(/VmRSS:\s*(\d+)/)?.[1] ?? 0) / 1024;
    });
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  };
  const before = await memory();
  let most = 0;
  await page.locator('input[type=file][multiple]').setInputFiles([path]);
  await until('it is uploaded', async () => {
    most = Math.max(most, await memory());
    return page.getByText('1 file uploaded').count();
  });
  assert.equal((await entries(page, '/tmp/large'))[0].size, LARGE * 2 ** 20);
  assert.ok(most - before < 128, `${most - before} MiB more for ${LARGE} MiB`);
  await api(page, 'DELETE', '/tmp/large/large.bin');
  await close(page);
});

real('who may not see files is told which right it takes', async () => {
  const page = await open(world, 'bob', at('/'));
  await page.getByRole('heading', { name: 'You may not see the files here' }).waitFor();
  await page.getByText('the right “files” in the project default of berlin').waitFor();
  await close(page);
});

real(
  'the list of files has no fault that axe finds, in both themes, in Spanish, on a phone, with dialogs open',
  async () => {
    const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
    for (const options of [{ theme: 'light' }, { theme: 'dark', locale: 'es-ES' }, { size: 'phone' }]) {
      const page = await open(world, 'alice', at('/dev'), options);
      const look = async () => {
        const { violations } = await page.evaluate(`${axe}; axe.run()`);
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        assert.deepEqual(
          grave.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
          [],
        );
      };
      await page.locator('table.files').waitFor();
      await look();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
      await page.getByRole('button', { name: /^(New|Nuevo)$/ }).click();
      await page.getByRole('menuitem', { name: /^(New file|Archivo nuevo)$/ }).click();
      await look();
      await page.keyboard.press('Escape');
      await close(page);
    }
  },
);
