// The line between a browser and the node of its user: it can be cut, and it can fall silent.
import { connect, createServer } from 'node:net';

export async function startLink(proxy) {
  const target = new URL(proxy.replace('socks5:', 'http:'));
  const pairs = new Set();
  let state = 'open';
  const server = createServer((near) => {
    if (state === 'cut') return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    const pair = [near, far];
    pairs.add(pair);
    for (const [one, other] of [pair, [far, near]]) {
      one.on('data', (bytes) => state === 'silent' || other.write(bytes));
      one.on('error', () => {});
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const drop = () => {
    for (const pair of pairs) for (const one of pair) one.destroy();
  };
  return {
    proxy: `socks5://127.0.0.1:${server.address().port}`,
    cut() {
      state = 'cut';
      drop();
    },
    /** Nothing comes or goes, and nobody is told. */
    silence() {
      state = 'silent';
    },
    mend() {
      state = 'open';
    },
    stop() {
      drop();
      server.close();
    },
  };
}
