// What this page has begun with the instance, and how far it is.
import { ask, asProblem, path } from '../../api/client';
import type { InstanceKey, JobView } from '../../api/types';
import { own, stageOf } from '../../app/jobs';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { fail } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/instance';

async function cancel(job: JobView): Promise<void> {
  try {
    await ask('DELETE', path('jobs', job.id));
  } catch (error) {
    fail(words.value.cancelJob(nameOf(job)), asProblem(error));
  }
}

function nameOf(job: JobView): string {
  const names: Record<string, string> = words.value.jobNames;
  return names[job.action] ?? job.action;
}

/** A job with its progress in the server's words, and a button that ends it. */
export function Progress({ job }: { job: JobView }) {
  const t = words.value;
  const part = job.parts[0];
  const moved = part?.bytes ? (part.total ? `${bytes(part.bytes)} / ${bytes(part.total)}` : bytes(part.bytes)) : '';
  return (
    <div class="row progress-line" role="status">
      <Icon name="loader-circle" class="spin accent" />
      <strong>{nameOf(job)}</strong>
      <span class="grow quiet">{stageOf(job)}</span>
      <span class="number">{moved}</span>
      <Button icon="x" label={t.cancelJob(nameOf(job))} onClick={() => void cancel(job)}>
        {common.value.cancel}
      </Button>
      {part?.total ? (
        <progress class="progress" aria-label={nameOf(job)} max={part.total} value={part.bytes ?? 0} />
      ) : null}
    </div>
  );
}

export function Here({ row }: { row: InstanceKey }) {
  const object = `instances/${row.name}`;
  const running = own.value.filter(
    (job) =>
      job.status === 'running' &&
      job.parts.some(
        (part) =>
          part.cloud === row.cloud &&
          part.project === row.project &&
          (part.object === object || part.object.startsWith(`${object}/`)),
      ),
  );
  if (running.length === 0) return null;
  return (
    <ul class="stack">
      {running.map((job) => (
        <li key={job.id}>
          <Progress job={job} />
        </li>
      ))}
    </ul>
  );
}
