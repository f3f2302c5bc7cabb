// Runs the world of the tests for a developer: `.ci/with-incus .ci/with-lxd node web/tests/serve.mjs`.
import { writeFile } from 'node:fs/promises';
import { startWorld } from './world.mjs';

const world = await startWorld();
const { berlin, paris, lisbon } = world.clouds;
for (const server of [berlin, paris, lisbon])
  await server?.create('web', { description: 'the same name in each cloud' });
const told = { proxies: world.proxies, folder: world.folder, node: world.node.process.pid };
if (process.argv[2]) await writeFile(process.argv[2], JSON.stringify(told));
console.log(JSON.stringify(told, null, 2));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => world.stop().then(() => process.exit(0)));
setInterval(() => {}, 60_000);
