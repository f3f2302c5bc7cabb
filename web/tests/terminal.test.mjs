// The terminal and the console of an instance, at real clouds: what is typed and shown, what survives, and what an instance may not.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open } from './browser.mjs';
import { startWorld, until } from './world.mjs';

let world;

const NAME = 'term-a';
const EXEC = "{who: ['user:bob@example.com'], clouds: ['*'], projects: ['*'], verbs: [view, exec]}";

before(async () => {
  world = await startWorld();
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
});

function real(name, run) {
  test(name, async (t) => {
    if (!world.clouds.berlin) return t.skip('needs .ci/with-lxd');
    await run(t);
  });
}

const at = (tab = 'terminal', cloud = 'berlin') => `/instances/${cloud}/default/${NAME}/${tab}`;

const told = (page) => page.locator('.told').textContent();

/** What is in sight, a line for each row. */
function shown(page) {
  return page.evaluate(() => {
    const rows = [...document.querySelectorAll('.xterm-rows > div')];
    return rows
      .map((row) => row.textContent.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd();
  });
}

async function says(page, text) {
  let last = '';
  const look = async () => {
    last = await told(page).catch(() => '');
    return last.includes(text);
  };
  await until(`it says ${text}`, look).catch((error) => {
    throw new Error(`${error.message}, but ${last}`);
  });
}

async function shows(page, text) {
  await until(`it shows ${text}`, async () => (await shown(page)).includes(text));
}

/** A shell that waits for input. */
async function shell(person = 'alice', options = {}, cloud = 'berlin') {
  const page = await open(world, person, at('terminal', cloud), options);
  await says(page, 'Connected');
  await shows(page, '#');
  return page;
}

/** A server of our own in the place of the node's: what it is told is in `heard`. */
async function acted(answer) {
  const page = await open(world, 'alice', null);
  const sockets = [];
  await page.routeWebSocket(/\/exec/, (socket) => {
    const one = { socket, url: new URL(socket.url()), heard: [] };
    sockets.push(one);
    socket.onMessage((message) => one.heard.push(`${message}`));
    const from = Number(one.url.searchParams.get('after') ?? 0);
    const session = { id: 'acted', node: 'n', terminal: true, from, lost: 0, input: 0, ...answer(sockets.length) };
    socket.send(JSON.stringify({ session }));
  });
  await page.goto(`http://kolaboree-node${at()}`);
  await says(page, 'Connected');
  return { page, sockets };
}

real('what is typed comes to the shell as text, with the letters of a Spanish keyboard', async (t) => {
  const clouds = ['berlin', ...(world.clouds.lisbon ? ['lisbon'] : [])];
  for (const cloud of clouds) {
    const page = await shell('alice', {}, cloud);
    assert.ok((await page.title()).startsWith(`${NAME} — ${cloud}/default`));
    await page.keyboard.type('echo "<ñ á € @ ¿ ç>" | wc -c; echo "ñ á € @ ¿ ç"\n');
    // It is UTF-8: five letters of two bytes or three, and the rest of one.
    await shows(page, `\n${new TextEncoder().encode('<ñ á € @ ¿ ç>\n').length}\nñ á € @ ¿ ç\n`);
    await close(page);
  }
  if (clouds.length < 2) t.diagnostic('at one cloud alone: the other needs .ci/with-incus');
});

real('the terminal of the instance has the size of the one in the page', async () => {
  const page = await shell();
  const size = async () => {
    await page.keyboard.type('clear; echo "<$(stty size)>"\n');
    const found = await until('a size', async () => (await shown(page)).match(/^<(\d+) (\d+)>$/m));
    return found.slice(1).map(Number);
  };
  const [rows, columns] = await size();
  assert.equal(rows, await page.locator('.xterm-rows > div').count());
  await page.setViewportSize({ width: 900, height: 700 });
  await until('it is smaller', async () => (await page.locator('.xterm-rows > div').count()) < rows);
  await until('the instance knows', async () => {
    const [less, narrower] = await size();
    return less < rows && narrower < columns;
  });
  await close(page);
});

real('a reload comes back to the same shell, with what it has shown, and nothing is answered twice', async () => {
  const page = await shell();
  // A program asks the terminal where the cursor is, and reads the answer.
  const ask = 'X=kept; stty -icanon -echo; printf "\\033[6n"; head -c 6 >/dev/null; stty icanon echo; echo as""ked\n';
  await page.keyboard.type(ask);
  await shows(page, '\nasked\n');
  const before = await shown(page);
  await page.reload();
  await says(page, 'Connected');
  await shows(page, '\nasked\n');
  assert.equal(await shown(page), before);
  await page.keyboard.type('echo "<$X>"\n');
  await shows(page, '\n<kept>\n');
  await page.goto(`http://kolaboree-node${at('files')}`);
  await page.goBack();
  await shows(page, '\n<kept>\n');
  await close(page);
});

real('a shell goes on while another view is looked at', async () => {
  const page = await shell();
  await page.keyboard.type('sleep 1; echo slept; Y=here\n');
  await page.getByRole('link', { name: 'Instances' }).click();
  await page.getByRole('heading', { level: 1, name: 'Instances' }).waitFor();
  await page.goBack();
  await shows(page, '\nslept\n');
  await page.keyboard.type('echo "<$Y>"\n');
  await shows(page, '\n<here>\n');
  await close(page);
});

real('a lost link is told, and nothing of what is shown or typed meanwhile is lost', async () => {
  const page = await shell();
  await page.keyboard.type('i=0; while [ $i -lt 15 ]; do echo line $i.; i=$((i+1)); sleep 0.2; done\n');
  await shows(page, 'line 2.');
  await page.context().setOffline(true);
  await says(page, 'Reconnecting');
  await page.keyboard.type('echo ty""ped\n');
  await says(page, 'What you have typed (13 B) is sent then');
  await page.context().setOffline(false);
  await says(page, 'Connected');
  await shows(page, '\ntyped\n');
  const lines = [...(await shown(page)).matchAll(/^line (\d+)\.$/gm)].map(([, number]) => Number(number));
  assert.deepEqual(
    lines,
    Array.from({ length: 15 }, (_, number) => number),
  );
  await close(page);
});

real('what is typed while there is no link is kept up to a measure, and the rest is refused in sight', async () => {
  const page = await shell();
  await page.context().setOffline(true);
  await says(page, 'Reconnecting');
  await page.keyboard.insertText('x'.repeat(4000));
  await says(page, 'is sent then');
  await page.keyboard.insertText('y'.repeat(200));
  await says(page, 'what you type now is not sent');
  await page.context().setOffline(false);
  await says(page, 'Connected');
  await shows(page, 'xxxxxxxx');
  assert.ok(!(await shown(page)).includes('yy'));
  await close(page);
});

real('input that the node has not taken is sent again, and what is not known any more is told', async () => {
  const { page, sockets } = await acted((number) => (number === 1 ? {} : { input: 2, lost: 2048 }));
  await page.keyboard.type('abc');
  const typed = ({ heard }) => heard.filter((message) => !message.startsWith('{')).join('');
  await until('it is heard', () => typed(sockets[0]) === 'abc');
  sockets[0].socket.send(Buffer.from('12345'));
  await shows(page, '12345');
  sockets[0].socket.close({ code: 1001 });
  await until('it comes back', () => sockets.length > 1 && typed(sockets[1]) === 'c');
  const { searchParams } = sockets[1].url;
  assert.deepEqual([searchParams.get('session'), searchParams.get('after')], ['acted', '5']);
  await page.getByText('2 KiB of what was shown meanwhile were missed').waitFor();
  await close(page);
});

real('more output than can be drawn is skipped and told, and the page goes on', async () => {
  const { page, sockets } = await acted(() => ({}));
  const lines = Buffer.from(`\x1b[31m${'a'.repeat(66)}\x1b[0m\r\n`.repeat(4000));
  for (let at = 0; at < 150; at++) sockets[0].socket.send(lines);
  sockets[0].socket.send(Buffer.from('\r\nthe end\r\n'));
  await page.keyboard.type('q');
  await until('a key is heard', () => sockets[0].heard.includes('q'));
  await shows(page, '\nthe end');
  await page.getByText('were skipped: they came faster than they can be shown').waitFor();
  await close(page);
});

real('the end stays with its code, and Enter starts anew below it', async () => {
  const page = await shell();
  await page.keyboard.type('echo last words; exit 3\n');
  await says(page, 'Ended, code 3. Enter starts anew.');
  await shows(page, '\nlast words');
  await page.keyboard.type('abc');
  await page.keyboard.press('Enter');
  await says(page, 'Connected');
  await page.keyboard.type('echo ag""ain\n');
  await shows(page, '\nagain\n');
  assert.match(await shown(page), /\nlast words\n(.*\n)*again\n/);
  await page.getByRole('button', { name: 'Options' }).click();
  await page.getByRole('menuitem', { name: 'End the session' }).click();
  await says(page, 'You have ended the session');
  await page.getByRole('button', { name: 'Start anew' }).click();
  await says(page, 'Connected');
  await close(page);
});

real('an instance does not change the title or the clipboard, and a link is asked about', async () => {
  const page = await shell();
  const title = await page.title();
  const link = (address, text) => `\\033]8;;${address}\\033\\\\${text}\\033]8;;\\033\\\\`;
  const hostile = `\\033]0;evil\\007\\033]2;evil\\007\\033]52;c;ZXZpbA==\\007`;
  const links = `${link('https://example.org/a', 'GOOD')} ${link('javascript:alert(1)', 'EVIL')} ${link('file:///etc', 'FILE')}`;
  await page.keyboard.type(`clear; printf '${hostile}${links}\\n'; echo do""ne\n`);
  await shows(page, '\ndone\n');
  assert.equal(await page.title(), title);
  const row = page.locator('.xterm-rows > div').filter({ hasText: /^GOOD\sEVIL\sFILE/ });
  const { x, y, height } = await row.boundingBox();
  const letter = await page.evaluate(() => document.querySelector('.xterm-char-measure-element').offsetWidth / 32);
  const click = async (column) => {
    await page.mouse.move(x + letter * column, y + height / 2);
    await page.mouse.move(x + letter * column + 1, y + height / 2);
    await page.mouse.click(x + letter * column, y + height / 2);
  };
  for (const column of [6, 11]) {
    await click(column);
    assert.equal(await page.locator('dialog').count(), 0);
  }
  await until('it asks', async () => {
    await click(1);
    return page.locator('dialog').count();
  });
  await page.getByText('https://example.org/a').waitFor();
  await page.keyboard.press('Escape');
  assert.equal(page.context().pages().length, 1);
  // What was on the clipboard is not what the instance wanted there.
  await page.getByRole('button', { name: 'Paste' }).click();
  await page.locator('dialog textarea').press('Control+v');
  assert.ok(!(await page.locator('dialog textarea').inputValue()).includes('evil'));
  await page.keyboard.press('Escape');
  await close(page);
});

real('what is selected is copied, and pasted by keys and by a box, over plain HTTP', async () => {
  const page = await shell();
  assert.equal(await page.evaluate(() => isSecureContext), false);
  await page.keyboard.type('clear; echo SELECTED\n');
  const row = page.locator('.xterm-rows > div').filter({ hasText: /^SELECTED/ });
  await shows(page, 'SELECTED\n/');
  const { x, y, height } = await row.boundingBox();
  await page.mouse.dblclick(x + 20, y + height / 2);
  await says(page, 'Copied');
  await page.keyboard.type('echo by keys ');
  await page.keyboard.press('Shift+Insert');
  await page.keyboard.press('Enter');
  await shows(page, '\nby keys SELECTED');
  await page.keyboard.type('echo by a box ');
  await page.getByRole('button', { name: 'Paste' }).click();
  await page.locator('dialog textarea').press('Control+v');
  await page.locator('dialog').getByRole('button', { name: 'Paste' }).click();
  await until('the terminal has the keys again', () => page.evaluate(() => !!document.activeElement.closest('.xterm')));
  await page.keyboard.press('Enter');
  await shows(page, '\nby a box SELECTED');
  await close(page);
});

real('the keyboard gets out of the terminal', async () => {
  const page = await shell();
  await page.keyboard.press('Tab');
  assert.ok(await page.evaluate(() => document.activeElement.closest('.xterm')));
  await page.keyboard.press('Control+F6');
  assert.equal(await page.evaluate(() => document.activeElement.ariaLabel), 'Smaller letters');
  const size = () => page.evaluate(() => getComputedStyle(document.querySelector('.xterm-rows')).fontSize);
  assert.equal(await size(), '14px');
  await page.keyboard.press('Enter');
  await until('letters are smaller', async () => (await size()) === '13px');
  await page.reload();
  await until('that is kept', async () => (await size().catch(() => '')) === '13px');
  await close(page);
});

real('a phone has the keys that its keyboard lacks, and fingers move the text', async () => {
  const page = await shell('alice', { size: 'phone' });
  const key = (name) => page.locator('.keybar').getByRole('button', { name, exact: true }).tap();
  await page.locator('.xterm-screen').tap();
  await page.keyboard.type('seq 1 200; sleep 1000\n');
  await shows(page, '\n200');
  await key('Ctrl');
  await page.keyboard.type('c');
  await shows(page, '^C');
  await page.keyboard.type('echo thr');
  await key('Pipe');
  await page.keyboard.type(' cat; echo ok');
  await key('Home');
  await page.keyboard.type('true; ');
  await page.keyboard.press('Enter');
  await shows(page, '\nthr\nok\n');
  await key('Up');
  await shows(page, '# true; echo thr| cat; echo ok');
  const touch = await page.context().newCDPSession(page);
  const { x, y } = await page.locator('.xterm-screen').boundingBox();
  const send = (type, points) => touch.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  await send('touchStart', [{ x: x + 60, y: y + 20 }]);
  for (let down = 20; down <= 200; down += 20) await send('touchMove', [{ x: x + 60, y: y + down }]);
  await send('touchEnd', []);
  await until('older lines', async () => !(await shown(page)).includes('# true;'));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
  await close(page);
});

real('a console is taken over only when the user says so, and who had it is told by whom', async () => {
  await world.configure({ rights: { bob: EXEC } });
  world.reload();
  const bob = await open(world, 'bob', null);
  await until('bob may', async () => {
    await bob.goto(`http://kolaboree-node${at('console')}`);
    return says(bob, 'Press Enter').then(
      () => true,
      () => false,
    );
  });
  const alice = await open(world, 'alice', at('console'));
  await says(alice, 'bob@example.com');
  await says(bob, 'Press Enter');
  await alice.getByRole('button', { name: 'Take it over' }).click();
  await alice.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
  await says(bob, 'Press Enter');
  await alice.getByRole('button', { name: 'Take it over' }).click();
  await alice.locator('dialog').getByRole('button', { name: 'Take it over' }).click();
  await says(alice, 'Press Enter');
  await says(bob, 'alice@example.com has taken it over');
  await alice.getByRole('button', { name: 'Options' }).click();
  await alice.getByRole('menuitem', { name: 'End the session' }).click();
  await close(alice);
  await close(bob);
});

real('who loses the right is told so, and what was shown stays', async () => {
  await world.configure({ rights: { bob: EXEC } });
  world.reload();
  const page = await open(world, 'bob', null);
  await until('bob may', async () => {
    await page.goto(`http://kolaboree-node${at()}`);
    await page.locator('.told, .empty').first().waitFor();
    return page.locator('.told').count();
  });
  await shows(page, '#');
  await page.keyboard.type('echo st""ays\n');
  await shows(page, '\nstays\n');
  await world.configure({});
  world.reload();
  await page.getByText(/bob@example\.com.* may no longer exec/).waitFor();
  await shows(page, '\nstays\n');
  await page.reload();
  await page.getByRole('heading', { name: 'You may not open a terminal here' }).waitFor();
  await close(page);
});

real('an instance that does not run says so, and is started from there', async () => {
  const { berlin } = world.clouds;
  await berlin.state(NAME, 'stop');
  const page = await open(world, 'alice', at());
  await page.getByRole('heading', { name: `${NAME} does not run` }).waitFor();
  await page.getByRole('button', { name: 'Start it' }).click();
  await says(page, 'Connected');
  await berlin.state(NAME, 'stop');
  await until('it ends', async () => !/Connected|Reconnecting/.test(await told(page)));
  await berlin.state(NAME, 'start');
  await close(page);
});

real('the terminal has no fault that axe finds, in both themes, on a phone, and with its box open', async () => {
  const axe = await readFile(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
  for (const options of [{ theme: 'light' }, { theme: 'dark' }, { size: 'phone' }]) {
    const page = await shell('alice', options);
    const look = async () => {
      const { violations } = await page.evaluate(`${axe}; axe.run()`);
      const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      assert.deepEqual(
        grave.map(({ id, nodes }) => `${id}: ${nodes[0].html}`),
        [],
      );
    };
    await page.locator('.xterm-screen').click();
    await page.keyboard.type('ls --color /; printf "\\033[30m30 \\033[37m37 \\033[93m93\\033[0m\\n"\n');
    await shows(page, '30 37 93');
    await look();
    await page.getByRole('button', { name: 'Paste' }).click();
    await look();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Fill the window' }).click();
    await look();
    await close(page);
  }
});
