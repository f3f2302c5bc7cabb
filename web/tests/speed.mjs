// How fast the page is with five clouds of 1,000 instances: `node tests/speed.mjs`, beside real servers under .ci/with-lxd.
import { closeBrowser, open, PAGE } from './browser.mjs';
import { startWorld, until } from './world.mjs';

const TURNS = 5;
const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
const shown = [];
const say = (what, wanted, is) => {
  shown.push({ what, wanted, is });
  console.log(`${what}: ${is} (wanted ${wanted})`);
};

/** Runs in the page: how long after that moment the text is painted, in milliseconds. */
const painted = ([text, since]) =>
  new Promise((done) => {
    const look = () => {
      if (!document.querySelector('main')?.textContent.includes(text)) return requestAnimationFrame(look);
      requestAnimationFrame(() => done(Date.now() - since));
    };
    look();
  });

async function first(world) {
  const took = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const page = await open(world, 'alice', null);
    const since = Date.now();
    await page.goto(`${PAGE}/instances`, { waitUntil: 'commit' });
    await page.locator('table.instances tbody tr').first().waitFor();
    const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    took.push({
      rows: await page.evaluate((since) => performance.timeOrigin + performance.now() - since, since),
      paint,
    });
    await page.context().close();
  }
  say('first row painted, ms', '< 300', median(took.map(({ rows }) => rows)).toFixed(0));
  say('first paint, ms', 'told', median(took.map(({ paint }) => paint)).toFixed(0));
}

async function filter(page) {
  const took = [];
  for (let turn = 0; turn < TURNS; turn++) {
    took.push(
      await page.evaluate(async (text) => {
        const field = document.querySelector('input[type=search]');
        const set = async (value, rows) => {
          const since = performance.now();
          field.value = value;
          field.dispatchEvent(new Event('input', { bubbles: true }));
          await new Promise((done) => {
            const look = () => {
              const count = document.querySelectorAll('table.instances tbody tr').length;
              if (count === rows) requestAnimationFrame(() => done());
              else requestAnimationFrame(look);
            };
            look();
          });
          return performance.now() - since;
        };
        const there = await set(text, 5);
        const back = await set('', 100);
        return { there, back };
      }, `instance-0${turn}77`),
    );
  }
  say('filter to 5 rows of 5,000, ms', '< 100', median(took.map(({ there }) => there)).toFixed(0));
  say('filter taken back, ms', '< 100', median(took.map(({ back }) => back)).toFixed(0));
}

async function change(world) {
  if (!world.clouds.berlin) return;
  const page = await open(world, 'alice', '/instances?cloud=berlin');
  await page.evaluate(() => localStorage.setItem('kolaboree.columns', '["description"]'));
  await page.reload();
  await page.getByRole('link', { name: 'c1' }).waitFor();
  const took = [];
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise((done) => setTimeout(done, 2_000));
    const text = `change ${turn} of ${Date.now()}`;
    const since = Date.now();
    const seen = page.evaluate(painted, [text, since]);
    await world.clouds.berlin.ask('PATCH', '/1.0/instances/c1', { description: text });
    took.push(await seen);
  }
  say('change at the server to the screen, ms', '< 200', median(took));
  await page.context().close();
}

async function idle(world) {
  const page = await open(world, 'alice', '/instances?cloud=none');
  await new Promise((done) => setTimeout(done, 10_000));
  let requests = 0;
  page.on('request', () => requests++);
  await new Promise((done) => setTimeout(done, 60_000));
  say('requests of an idle tab in a minute', '<= 1', requests);
  await page.context().close();
}

async function events(world, seconds) {
  const page = await open(world, 'alice', '/instances');
  await until('all rows are there', () => page.getByText('5,0').first().isVisible());
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const look = async () => {
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    const of = (name) => metrics.find((metric) => metric.name === name).value;
    return { heap: of('JSHeapUsedSize') / 2 ** 20, nodes: of('Nodes'), task: of('TaskDuration'), at: of('Timestamp') };
  };
  await new Promise((done) => setTimeout(done, 10_000));
  const before = await look();
  await new Promise((done) => setTimeout(done, seconds * 1_000));
  const after = await look();
  say(
    `heap before and after ${seconds} s of 60 changes a second, MiB`,
    'flat',
    `${before.heap.toFixed(1)}, ${after.heap.toFixed(1)}`,
  );
  say('DOM nodes before and after', 'bounded', `${before.nodes}, ${after.nodes}`);
  say('share of a core', 'told', `${(((after.task - before.task) / (after.at - before.at)) * 100).toFixed(0)} %`);
  await page.context().close();
}

const calm = await startWorld({ people: ['alice'], fleet: 1_000 });
try {
  const page = await open(calm, 'alice', '/instances');
  await until('all rows are there', () => page.getByText(/5,0\d\d instances/).isVisible());
  await first(calm);
  await filter(page);
  await page.context().close();
  await change(calm);
  await idle(calm);
} finally {
  await calm.stop();
}
// An hour of one change a second, in a minute.
const busy = await startWorld({ people: ['alice'], fleet: 1_000, changes: 60 });
try {
  await events(busy, 60);
} finally {
  await busy.stop();
  await closeBrowser();
}
console.table(shown);
