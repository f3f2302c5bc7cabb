// Uploads: some at once, the others wait. They go on while the user looks at another view.
import { computed, type Signal, signal } from '@preact/signals';
import { ask, asProblem } from '../../api/client';
import type { InstanceKey, JobView, Problem } from '../../api/types';
import { begin } from '../../app/jobs';
import { idOf } from '../../app/store';
import { say } from '../../components/toasts';
import { words } from '../../i18n/files';
import type { Given } from './gather';
import { join, shown } from './paths';
import { addressOf, WAIT, write } from './requests';

export type Upload = {
  id: number;
  key: InstanceKey;
  /** Where it goes. */
  path: string;
  file: File;
  sent: Signal<number>;
  problem: Problem | null;
  stop: AbortController;
};

/** How many go at once: one more keeps the line busy while the cloud takes the end of another. */
const AT_ONCE = 2;

export const waiting = signal<Upload[]>([]);
export const running = signal<Upload[]>([]);
export const failed = signal<Upload[]>([]);

/** What those that were begun together are, and what of it is done. */
export const total = signal({ files: 0, bytes: 0 });
export const done = signal({ files: 0, bytes: 0 });

/** Counts what was written, for who shows folders. */
export const written = signal(0);

export const isBusy = computed(() => waiting.value.length + running.value.length > 0);

/** How many bytes have gone. */
export const sent = computed(() =>
  running.value.reduce((sum, { sent, file }) => sum + Math.min(sent.value, file.size), done.value.bytes),
);

let ids = 0;

/** Puts what was given into a folder of an instance. */
export function upload(key: InstanceKey, folder: string, given: Given): void {
  if (!isBusy.value) {
    total.value = { files: 0, bytes: 0 };
    done.value = { files: 0, bytes: 0 };
  }
  for (const path of given.folders) makeFolder(key, join(folder, path));
  const more = given.files.map(({ file, path }) => {
    const place = { id: ++ids, key, path: join(folder, path), file };
    return { ...place, sent: signal(0), problem: null, stop: new AbortController() };
  });
  const bytes = more.reduce((sum, { file }) => sum + file.size, 0);
  total.value = { files: total.value.files + more.length, bytes: total.value.bytes + bytes };
  waiting.value = [...waiting.value, ...more];
  pump();
}

function makeFolder(key: InstanceKey, path: string): void {
  const body = { kind: 'folder', parents: true };
  const made = ask<JobView>('POST', addressOf(key, path), { body, wait: WAIT }).then((answer) => answer.body);
  void begin(words.value.made(shown(path)), made).then(() => written.value++);
}

function pump(): void {
  while (running.value.length < AT_ONCE) {
    const [next, ...rest] = waiting.value;
    if (!next) return;
    waiting.value = rest;
    running.value = [...running.value, next];
    void send(next);
  }
}

async function send(one: Upload): Promise<void> {
  const { key, path, file, sent, stop } = one;
  try {
    await write(addressOf(key, path, { parents: true }), file, {
      progress: (bytes) => {
        sent.value = bytes;
      },
      signal: stop.signal,
    });
    done.value = { files: done.value.files + 1, bytes: done.value.bytes + file.size };
    written.value++;
  } catch (error) {
    forget(file);
    if (!stop.signal.aborted) failed.value = [...failed.value, { ...one, problem: asProblem(error) }];
  }
  running.value = running.value.filter((other) => other.id !== one.id);
  pump();
  if (!isBusy.value && done.value.files > 0) say(words.value.uploaded(done.value.files));
}

/** What is not uploaded does not count. */
function forget(file: File): void {
  total.value = { files: total.value.files - 1, bytes: total.value.bytes - file.size };
}

/** Ends an upload, or gives one up that waits. */
export function cancel(one: Upload): void {
  if (waiting.value.some(({ id }) => id === one.id)) {
    waiting.value = waiting.value.filter(({ id }) => id !== one.id);
    forget(one.file);
  }
  one.stop.abort();
}

export function cancelAll(): void {
  for (const { file } of waiting.value) forget(file);
  waiting.value = [];
  for (const one of running.value) one.stop.abort();
}

export function retry(those: Upload[]): void {
  dismiss(those);
  for (const { key, path, file } of those) {
    const [, folder = '/', name = ''] = path.match(/^(.*\/)([^/]*)$/) ?? [];
    upload(key, folder, { files: [{ file, path: name }], folders: [] });
  }
}

export function dismiss(those: Upload[]): void {
  failed.value = failed.value.filter((one) => !those.includes(one));
}

export function isOf(key: InstanceKey): (one: Upload) => boolean {
  return (one) => idOf(one.key) === idOf(key);
}

addEventListener('beforeunload', (event) => {
  if (isBusy.value) event.preventDefault();
});
