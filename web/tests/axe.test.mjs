// Nobody is shut out: each view and dialog of the frame, in both themes, on a laptop and a phone, has no serious finding.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { close, closeBrowser, open } from './browser.mjs';
import { startWorld } from './world.mjs';

let world;
let axe;

before(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  world = await startWorld({ people: ['alice', 'carol'] });
});

after(async () => {
  await closeBrowser();
  await world?.stop();
});

async function examine(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const told = serious.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join('\n')}`,
  );
  assert.deepEqual(told, [], what);
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(isWide, false, `${what} is wider than the screen`);
}

const VIEWS = {
  '/': 'Overview',
  '/instances': 'Instances',
  '/operations': 'Operations',
  '/audit': 'Audit',
  '/access': 'Access',
};

for (const theme of ['light', 'dark']) {
  for (const size of ['laptop', 'phone']) {
    test(`no view or dialog of the frame has a serious finding: ${theme}, ${size}`, async () => {
      const page = await open(world, 'alice', null, { theme, size });
      for (const [path, title] of Object.entries(VIEWS)) {
        await page.goto(`http://kolaboree-node${path}`);
        await page.getByRole('heading', { name: title, level: 1 }).waitFor();
        await page.locator('main .spin').waitFor({ state: 'detached' });
        await examine(page, path);
      }
      await page.getByRole('button', { name: 'Settings' }).click();
      await examine(page, 'the settings');
      await page.getByRole('menuitem', { name: 'Address of this page' }).click();
      await examine(page, 'the address');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('?');
      await examine(page, 'the keys');
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('Control+k');
      await page.keyboard.type('a');
      await examine(page, 'the palette');
      await close(page);
      const carol = await open(world, 'carol', '/', { theme, size });
      await carol.getByText('You are carol@example.com').waitFor();
      await examine(carol, 'without a right');
      await close(carol);
    });
  }
}
