// A tailnet on loopback with the node, its clouds, and people on nodes of their own.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { servers } from './lxd.mjs';

const ROOT = new URL('../../', import.meta.url).pathname;
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target');

/** Long enough for a machine with much to do: a deadline against hanging, in milliseconds. */
export const HANG = Number(process.env.HANG ?? 120_000);

const ALL = '[view, operate, edit, files, exec, metrics, admin]';

export const PEOPLE = {
  alice: `{who: ['user:alice@example.com'], clouds: ['*'], projects: ['*'], verbs: ${ALL}}`,
  bob: `{who: ['user:bob@example.com'], clouds: ['*'], projects: ['*'], verbs: [view]}`,
  carol: null, // who has no right
};

/** A program that was started, and what it says. */
class Program {
  constructor(path, args, env) {
    this.said = [];
    this.process = spawn(path, args, {
      env: { ...process.env, TS_NO_LOGS_NO_SUPPORT: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise((done) => this.process.on('exit', done));
    for (const stream of [this.process.stdout, this.process.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        this.said.push(line);
        if (process.env.WORLD_LOG) console.error(line);
      });
    }
  }

  /** The first line that fits. */
  async says(pattern) {
    return until(`the program says ${pattern}`, () => {
      if (this.process.exitCode !== null) throw new Error(`it has ended: ${this.said.slice(-20).join('\n')}`);
      return this.said.map((line) => line.match(pattern)).find(Boolean);
    });
  }

  async end(signal = 'SIGTERM') {
    if (this.process.exitCode === null) this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
    await this.ended;
    clearTimeout(timer);
  }
}

/** Waits until something is so, and gives it. */
export async function until(what, look) {
  const end = Date.now() + HANG;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`in vain: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Starts it all. */
export async function startWorld({ people = Object.keys(PEOPLE), settings = '', fleet = 0, changes = 0 } = {}) {
  const world = new World();
  try {
    await world.start({ people, settings, fleet, changes });
  } catch (error) {
    await world.stop();
    throw error;
  }
  return world;
}

class World {
  clouds = servers();
  proxies = {};

  async start({ people, settings, fleet, changes }) {
    this.people = people;
    this.settings = settings;
    this.folder = await mkdtemp(join(tmpdir(), 'page-'));
    const peers = [];
    this.entries = {};
    for (const [name, server] of Object.entries(this.clouds)) {
      peers.push('--peer', `${name}=${await server.address()}`);
      await writeFile(join(this.folder, `${name}.token`), await server.token('page'), { mode: 0o600 });
      this.entries[name] =
        `{name: ${name}, kind: ${server.kind}, address: '${name}:8443', trust: {token: 'file:${name}.token'}, checks: {timeout: 5}}`;
    }
    const persons = people.flatMap((name) => ['--person', name]);
    const sandbox = join(TARGET, 'debug/examples/sandbox');
    const many = fleet > 0 ? ['--fleet', String(fleet), '--changes', String(changes)] : [];
    this.sandbox = new Program(sandbox, [this.folder, ...persons, ...peers, ...many], {});
    await this.sandbox.says(/^ready/);
    for (const name of people) {
      const [, proxy] = await this.sandbox.says(new RegExp(`for ${name} .* (socks5://\\S+)`));
      this.proxies[name] = proxy;
    }
    const written = await readFile(join(this.folder, 'kolaboree.yaml'), 'utf8');
    this.control = written.match(/^control_url: (.*)$/m)[1];
    for (const [, entry, name] of written.matchAll(/^ {2}- (\{name: (fleet\d).*\})$/gm)) this.entries[name] = entry;
    if (Object.keys(this.entries).length === 0) {
      this.entries.lxd = `{name: lxd, address: 'lxd:8443', trust: {token: 'file:token'}}`;
    }
    await this.configure({});
    await this.startNode();
  }

  /** Writes the configuration: who may do what, and which clouds there are. */
  async configure({ rights = {}, more = [] }) {
    const access = Object.entries({ ...PEOPLE, ...rights })
      .filter(([name, entry]) => this.people.includes(name) && entry)
      .map(([, entry]) => `    - ${entry}\n`);
    const clouds = [...Object.values(this.entries), ...more].map((entry) => `  - ${entry}\n`);
    const text =
      `state_dir: state\ncontrol_url: ${this.control}\nauth_key_file: auth_key\ninterval: 2\nlocal: {listen: none}\n` +
      `tailnet:\n  listen: 80\n${this.settings}  access:\n${access.join('')}clouds:\n${clouds.join('')}`;
    await writeFile(join(this.folder, 'kolaboree.yaml'), text);
  }

  /** Has the node read its configuration again. */
  reload() {
    this.node.process.kill('SIGHUP');
  }

  async startNode() {
    const program = join(TARGET, 'debug/kolaboree-node');
    this.node = new Program(program, ['--config', join(this.folder, 'kolaboree.yaml')], {});
    await this.node.says(/the API is served at http/);
  }

  /** Runs a command of the running node. */
  async command(...args) {
    const program = join(TARGET, 'debug/kolaboree-node');
    const ran = new Program(program, ['--config', join(this.folder, 'kolaboree.yaml'), ...args], {});
    await ran.ended;
    return ran.said.join('\n');
  }

  async stop() {
    await this.node?.end();
    await this.sandbox?.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
