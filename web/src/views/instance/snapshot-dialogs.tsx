// What is asked before something is done with a snapshot.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { ask, instancePath } from '../../api/client';
import type { InstanceRow, JobView, Problem, Snapshot } from '../../api/types';
import { command, nameOf } from '../../app/commands';
import { begin } from '../../app/jobs';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog } from '../../components/dialog';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-snapshots';
import { accepted } from './accepted';
import { Check, Text } from './fields';
import type { Source } from './source';

type Props = { source: Source; row: InstanceRow; close: () => void };

type FormProps = {
  title: string;
  action: string;
  danger?: boolean;
  ready?: boolean;
  /** What `kolaboree-node` does the same by; none where it has no such command. */
  told: string | null;
  /** What is said once it is done. */
  done: string;
  request: () => Promise<{ body: JobView }>;
  source: Source;
  close: () => void;
  children: ComponentChildren;
};

/** A dialog that begins one thing, and closes once that is accepted. */
export function Ask({ title, action, danger, ready = true, told, done, request, source, close, children }: FormProps) {
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const start = async () => {
    if (!ready || busy.value) return;
    const job = await accepted(problem, busy, request());
    if (!job) return;
    close();
    await begin(done, Promise.resolve(job));
    await source.load();
  };
  return (
    <Dialog
      title={title}
      close={close}
      submit={() => void start()}
      actions={
        <>
          {told && <CopyButton text={told}>{common.value.copyCommand}</CopyButton>}
          <span class="grow" />
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} busy={busy.value} disabled={!ready || busy.value}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      {problem.value && <Failure problem={problem.value} />}
    </Dialog>
  );
}

/** A moment as a field has it, in RFC 3339. */
export function moment(text: string): string | null {
  const date = new Date(text);
  return text && !Number.isNaN(date.getTime()) ? date.toISOString() : null;
}

export function NewSnapshot({ source, row, close }: Props) {
  const t = words.value;
  const name = useSignal('');
  const stateful = useSignal(false);
  const expiry = useSignal('');
  const runs = row.status === 'Running';
  const told = [nameOf(row), name.value, stateful.value ? '--stateful' : ''].filter(Boolean);
  const expires_at = moment(expiry.value);
  return (
    <Ask
      title={t.createOf(row.name)}
      action={t.create}
      told={expires_at ? null : command(row.project, 'snapshot', ...told)}
      done={t.created(name.value || row.name)}
      request={() =>
        ask<JobView>('POST', instancePath(row, 'snapshots'), {
          body: { name: name.value || null, stateful: stateful.value, expires_at },
        })
      }
      source={source}
      close={close}
    >
      <Text label={common.value.name} value={name} placeholder={t.serverChooses} focus />
      <Text label={t.expires} value={expiry} type="datetime-local" hint={t.expiryHint} />
      <Check label={t.withState} value={stateful} disabled={!runs} hint={runs ? t.stateHint : t.onlyRunning} />
    </Ask>
  );
}

export function RenameSnapshot({ source, row, name: before, close }: Props & { name: string }) {
  const t = words.value;
  const name = useSignal(before);
  return (
    <Ask
      title={t.renameWhat(before)}
      action={t.rename}
      ready={name.value !== '' && name.value !== before}
      told={command(row.project, 'rename', nameOf(row, before), nameOf(row, name.value || 'NAME'))}
      done={t.renamed(before, name.value)}
      request={() => ask<JobView>('POST', instancePath(row, 'snapshots', before), { body: { name: name.value } })}
      source={source}
      close={close}
    >
      <Text label={t.newName} value={name} focus />
    </Ask>
  );
}

export function RestoreSnapshot({ source, row, snapshot, close }: Props & { snapshot: Snapshot }) {
  const t = words.value;
  const { name } = snapshot;
  const stateful = useSignal(false);
  const state = stateful.value ? ['--stateful'] : [];
  return (
    <Ask
      title={t.restoreWhat(row.name, name)}
      action={t.restore}
      danger
      told={command(row.project, 'restore', nameOf(row), name, ...state)}
      done={t.restored(row.name, name)}
      request={() =>
        ask<JobView>('POST', instancePath(row, 'snapshots', name, 'restore'), { body: { stateful: stateful.value } })
      }
      source={source}
      close={close}
    >
      <p>{t.restoreHint}</p>
      {snapshot.stateful && <Check label={t.restoreState} value={stateful} />}
    </Ask>
  );
}
