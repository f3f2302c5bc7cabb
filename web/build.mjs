// Builds the page into dist. The same sources give the same bytes: names have the hash of what they name.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as esbuild from 'esbuild';
import { icons } from './icons.mjs';

const watch = process.argv.includes('--watch');
/** Where it is built, before it takes the place of what was there. */
const fresh = 'dist.new';
const out = `${fresh}/assets`;

const common = {
  bundle: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  minify: true,
  outdir: out,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  metafile: true,
  legalComments: 'none',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
};

/** The name of an entry's file. */
function output(result, entry) {
  const [path] = Object.entries(result.metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry);
  return basename(path);
}

/** Writes a file under a name with its hash. */
async function place(name, extension, text) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase();
  const file = `${name}-${hash}.${extension}`;
  await writeFile(`${out}/${file}`, text);
  return file;
}

/** The licences of what is part of the page. */
async function licences() {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  const names = [...Object.keys(dependencies), '@preact/signals-core', 'lucide-static'].sort();
  const texts = names.map(async (name) => {
    const folder = `node_modules/${name}`;
    const file = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
    return `${name} ${version} (${license})\n\n${file ? await readFile(`${folder}/${file}`, 'utf8') : ''}`;
  });
  return (await Promise.all(texts)).join('\n----\n\n');
}

/** What the first view loads: the document, the style sheet, the icons, the script and what that imports at once. */
function firstLoad(result, main, more) {
  const files = new Set(more);
  const visit = (path) => {
    if (files.has(basename(path))) return;
    files.add(basename(path));
    for (const { kind, path: next } of result.metafile.outputs[path].imports) {
      if (kind === 'import-statement') visit(next);
    }
  };
  visit(`${out}/${main}`);
  return [...files];
}

async function build() {
  await rm(fresh, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const sprite = await place('icons', 'svg', await icons());
  const worker = await esbuild.build({ ...common, entryPoints: ['src/app/stream-worker.ts'] });
  const workerFile = output(worker, 'src/app/stream-worker.ts');
  const style = await esbuild.build({ ...common, entryPoints: ['src/style/index.css'] });
  const styleFile = output(style, 'src/style/index.css');
  const define = {
    ICONS: JSON.stringify(`/assets/${sprite}`),
    STREAM_WORKER: JSON.stringify(`/assets/${workerFile}`),
    LICENCES: JSON.stringify(`/assets/${await place('licences', 'txt', await licences())}`),
  };
  const main = await esbuild.build({ ...common, define, splitting: true, entryPoints: ['src/app/main.tsx'] });
  const mainFile = output(main, 'src/app/main.tsx');
  const loaded = firstLoad(main, mainFile, [styleFile, sprite, workerFile]);
  const preload = loaded.filter((file) => file.endsWith('.js') && file !== mainFile && file !== workerFile);
  const template = await readFile('index.html', 'utf8');
  await writeFile(
    `${fresh}/index.html`,
    template
      .replace('{{style}}', `/assets/${styleFile}`)
      .replace('{{main}}', `/assets/${mainFile}`)
      .replace('{{preload}}', preload.map((file) => `<link rel="modulepreload" href="/assets/${file}">`).join('\n  ')),
  );
  await budget(main, loaded);
  await rm('dist', { recursive: true, force: true });
  await rename(fresh, 'dist');
}

/** Bytes in gzip that the first view and the terminal may take. */
const BUDGET = { first: 60_000, terminal: 110_000 };

async function budget(result, loaded) {
  const size = async (file) => gzipSync(await readFile(`${out}/${file}`), { level: 6 }).length;
  const sum = async (files) => (await Promise.all(files.map(size))).reduce((all, one) => all + one, 0);
  const first = (await sum(loaded)) + gzipSync(await readFile(`${fresh}/index.html`)).length;
  const all = Object.keys(result.metafile.outputs).find((path) => /\/emulator-[A-Z0-9]+\.js$/.test(path));
  const terminal = all ? await sum(firstLoad(result, basename(all), []).filter((file) => !loaded.includes(file))) : 0;
  console.log(`first load ${first} bytes in gzip of ${BUDGET.first}, terminal ${terminal} of ${BUDGET.terminal}`);
  if (!watch && (first > BUDGET.first || terminal > BUDGET.terminal)) {
    console.error('the page is larger than its budget');
    process.exitCode = 1;
  }
}

await build();
if (watch) {
  const { watch: follow } = await import('node:fs');
  let timer;
  let last = Promise.resolve();
  follow('src', { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      last = last.then(build).catch((error) => console.error(error.message));
    }, 100);
  });
}
