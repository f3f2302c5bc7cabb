// What is asked before a backup is made, and before one is made an instance again.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ask, asProblem, instancePath, path, url } from '../../api/client';
import type { InstanceRow, JobView, Problem } from '../../api/types';
import { type Sent, upload } from '../../api/upload';
import { command, nameOf } from '../../app/commands';
import { begin } from '../../app/jobs';
import { go, to } from '../../app/router';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog } from '../../components/dialog';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/instance-backups';
import { Check, Select, Text } from './fields';
import { Ask, moment } from './snapshot-dialogs';
import type { Source } from './source';

const COMPRESSIONS = ['', 'gzip', 'zstd', 'none'];

export function NewBackup({ source, row, close }: { source: Source; row: InstanceRow; close: () => void }) {
  const t = words.value;
  const name = useSignal('');
  const expiry = useSignal('');
  const instanceOnly = useSignal(false);
  const optimized = useSignal(false);
  const compression = useSignal('');
  const told = [
    ...(instanceOnly.value ? ['--instance-only'] : []),
    ...(optimized.value ? ['--optimized-storage'] : []),
    ...(compression.value ? ['--compression', compression.value] : []),
  ];
  return (
    <Ask
      title={t.createOf(row.name)}
      action={t.create}
      told={command(row.project, 'export', nameOf(row), `${row.name}.tar.gz`, ...told)}
      done={t.created(name.value || row.name)}
      request={() =>
        ask<JobView>('POST', instancePath(row, 'backups'), {
          body: {
            name: name.value || null,
            expires_at: moment(expiry.value),
            instance_only: instanceOnly.value,
            optimized_storage: optimized.value,
            compression: compression.value || null,
          },
        })
      }
      source={source}
      close={close}
    >
      <Text label={common.value.name} value={name} placeholder={t.serverChooses} focus />
      <Text label={t.expires} value={expiry} type="datetime-local" hint={t.expiryHint} />
      <Select
        label={t.compression}
        value={compression.value}
        options={COMPRESSIONS.map((value) => ({ value, label: value || t.serverChooses }))}
        change={(chosen) => {
          compression.value = chosen;
        }}
      />
      <Check label={t.instanceOnly} value={instanceOnly} />
      <Check label={t.optimized} hint={t.optimizedHint} value={optimized} />
    </Ask>
  );
}

export function ImportBackup({ row, close }: { row: InstanceRow; close: () => void }) {
  const t = words.value;
  const file = useSignal<File | null>(null);
  const name = useSignal('');
  const sent = useSignal<Sent | null>(null);
  const problem = useSignal<Problem | null>(null);
  const stop = useRef<AbortController | null>(null);
  useEffect(() => () => stop.current?.abort(), []);
  const start = async () => {
    const chosen = file.value;
    if (!chosen || sent.value) return;
    problem.value = null;
    sent.value = { bytes: 0, total: chosen.size };
    const ending = new AbortController();
    stop.current = ending;
    const address = url(path('clouds', row.cloud, 'projects', row.project, 'backups'), { name: name.value });
    try {
      const job = await upload(address, chosen, ending.signal, (now) => {
        sent.value = now;
      });
      stop.current = null;
      close();
      const ended = await begin(t.imported(name.value || chosen.name), Promise.resolve(job));
      const made = ended?.parts[0]?.result as { name?: string } | undefined;
      if (ended?.status === 'done' && made?.name) go(to('instances', row.cloud, row.project, made.name));
    } catch (error) {
      if (!ending.signal.aborted) problem.value = asProblem(error);
    } finally {
      sent.value = null;
    }
  };
  const told = [`${row.cloud}:`, file.value?.name ?? 'FILE', ...(name.value ? [name.value] : [])];
  return (
    <Dialog
      title={t.importInto(`${row.cloud}/${row.project}`)}
      close={close}
      submit={() => void start()}
      actions={
        <>
          <CopyButton text={command(row.project, 'import', ...told)}>{common.value.copyCommand}</CopyButton>
          <span class="grow" />
          <Button onClick={() => (sent.value ? stop.current?.abort() : close())}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" icon="upload" disabled={!file.value || sent.value !== null}>
            {t.import}
          </Button>
        </>
      }
    >
      <p>{t.importHint}</p>
      <label class="field">
        <span class="label">{t.file}</span>
        <input
          class="input"
          type="file"
          disabled={sent.value !== null}
          onChange={(event) => {
            file.value = event.currentTarget.files?.[0] ?? null;
          }}
        />
      </label>
      <Text label={t.newName} value={name} placeholder={t.nameInBackup} disabled={sent.value !== null} />
      {sent.value && (
        <div class="stack" role="status">
          <progress class="progress" aria-label={t.sending} max={sent.value.total} value={sent.value.bytes} />
          <span class="quiet number">
            {sent.value.bytes < sent.value.total
              ? `${bytes(sent.value.bytes)} / ${bytes(sent.value.total)}`
              : t.unpacking}
          </span>
        </div>
      )}
      {problem.value && <Failure problem={problem.value} />}
    </Dialog>
  );
}
