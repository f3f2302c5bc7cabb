// The LXD and Incus servers that .ci/with-lxd and .ci/with-incus have started, by their sockets.
import { request } from 'node:http';

/** The servers that run, by the names of their clouds. */
export function servers() {
  const { INCUS_DIR, LXD_DIR, LXD_SECOND, LXD_SERVER } = process.env;
  const all = {};
  if (LXD_SERVER === 'lxd' && LXD_DIR) all.berlin = new Server(`${LXD_DIR}/unix.socket`, 'lxd');
  if (LXD_SERVER === 'lxd' && LXD_SECOND) all.paris = new Server(`${LXD_SECOND}/unix.socket`, 'lxd');
  if (INCUS_DIR) all.lisbon = new Server(`${INCUS_DIR}/unix.socket`, 'incus');
  return all;
}

export class Server {
  constructor(socketPath, kind) {
    this.socketPath = socketPath;
    this.kind = kind;
  }

  /** One request. A body that is an object goes as JSON; an operation is waited for. */
  async ask(method, path, body) {
    const answer = await this.#send(method, path, body);
    if (answer.type === 'error') throw new Error(`${method} ${path}: ${answer.error}`);
    if (answer.type !== 'async') return answer.metadata;
    const operation = answer.metadata;
    if (operation.class === 'token') return operation.metadata;
    const ended = await this.#send('GET', `/1.0/operations/${operation.id}/wait?timeout=120`);
    // A server forgets an operation some seconds after its end.
    if (ended.type === 'error') throw new Error(`${method} ${path}: ${ended.error}`);
    if (ended.metadata.status !== 'Success') throw new Error(`${method} ${path}: ${ended.metadata.err}`);
    return ended.metadata;
  }

  #send(method, path, body) {
    return new Promise((done, failed) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text ? { 'content-type': 'application/json' } : {};
      const asked = request({ socketPath: this.socketPath, method, path, headers, timeout: 150_000 }, (response) => {
        let answer = '';
        response.setEncoding('utf8');
        response.on('data', (part) => {
          answer += part;
        });
        response.on('end', () => done(JSON.parse(answer)));
      });
      asked.on('error', failed);
      asked.end(text);
    });
  }

  /** Where it listens, as HOST:PORT. */
  async address() {
    const { config } = await this.ask('GET', '/1.0');
    return config['core.https_address'];
  }

  /** A token by which it trusts who shows it. */
  async token(name) {
    const { addresses, fingerprint, secret } = await this.ask('POST', '/1.0/certificates', {
      name,
      type: 'client',
      token: true,
    });
    return Buffer.from(JSON.stringify({ client_name: name, fingerprint, addresses, secret })).toString('base64');
  }

  /** A container of the image that is there, or without one an empty one. */
  async create(name, { project = 'default', start = false, config = {}, description = '' } = {}) {
    const images = await this.ask('GET', `/1.0/images?project=${project}`);
    const fingerprint = images[0]?.split('/').pop();
    const source = fingerprint ? { type: 'image', fingerprint } : { type: 'none' };
    await this.ask('POST', `/1.0/instances?project=${project}`, { name, source, config, description });
    if (start) await this.state(name, 'start', project);
  }

  async state(name, action, project = 'default') {
    await this.ask('PUT', `/1.0/instances/${name}/state?project=${project}`, { action, force: true, timeout: 30 });
  }

  async remove(name, project = 'default') {
    await this.state(name, 'stop', project).catch(() => {});
    await this.ask('DELETE', `/1.0/instances/${name}?project=${project}`).catch(() => {});
  }
}
