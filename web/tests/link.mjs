// The line between a browser and the node of its user: it can be cut, it can fall silent, and names can be made to lead elsewhere.
import { connect, createServer } from 'node:net';

/** A request of SOCKS5 for a name, with the name that it leads to. */
function rename(bytes, names) {
  const [version, command, , kind, length] = bytes;
  if (version !== 5 || command !== 1 || kind !== 3) return bytes;
  const name = bytes.subarray(5, 5 + length).toString();
  const other = Buffer.from(names[name] ?? name);
  return Buffer.concat([bytes.subarray(0, 4), Buffer.from([other.length]), other, bytes.subarray(5 + length)]);
}

export async function startLink(proxy, names = {}) {
  const target = new URL(proxy.replace('socks5:', 'http:'));
  const pairs = new Set();
  let state = 'open';
  const server = createServer((near) => {
    if (state === 'cut') return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    const pair = [near, far];
    pairs.add(pair);
    let asked = false;
    for (const [one, other] of [pair, [far, near]]) {
      one.on('data', (bytes) => {
        if (state === 'silent') return;
        const isRequest = one === near && !asked && bytes.length > 4;
        asked ||= isRequest;
        other.write(isRequest ? rename(bytes, names) : bytes);
      });
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
