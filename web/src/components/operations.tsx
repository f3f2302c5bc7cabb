// Operations of the clouds, as rows: what, on what, by whom, how far, how it ended.
import { ask, asProblem, path } from '../api/client';
import type { OperationView } from '../api/types';
import { may } from '../app/store';
import { words } from '../i18n/operations';
import { Button } from './button';
import { Icon } from './icon';
import { Time } from './time';
import { fail } from './toasts';

type Outcome = keyof typeof words.value.statuses;

const SHAPES: Record<Outcome, [icon: string, colour: string]> = {
  running: ['loader-circle', 'accent'],
  pending: ['loader-circle', 'quiet'],
  done: ['circle-check', 'good'],
  failed: ['circle-x', 'bad'],
  cancelled: ['circle-x', 'quiet'],
  partly: ['triangle-alert', 'warn'],
};

export function Result({ outcome }: { outcome: Outcome }) {
  const [icon, colour] = SHAPES[outcome];
  return (
    <span class={`status ${colour}`}>
      <Icon name={icon} class={outcome === 'running' ? 'spin' : undefined} />
      {words.value.statuses[outcome]}
    </span>
  );
}

/** How an operation is, by LXD's codes: below 200 it goes on, 200 is done, 401 cancelled, others failed. */
export function outcomeOf({ status_code: code = 0 }: OperationView): Outcome {
  if (code === 200) return 'done';
  if (code === 401) return 'cancelled';
  if (code >= 400) return 'failed';
  return code === 105 ? 'pending' : 'running';
}

export function isRunning(row: OperationView): boolean {
  return ['running', 'pending'].includes(outcomeOf(row));
}

/** What it is about: the names at the end of the paths of its objects. */
export function objectsOf(row: OperationView): string[] {
  const names = (row.resources ?? []).map((resource) => {
    const [address = ''] = resource.split('?');
    return address.split('/').slice(3).map(decodeURIComponent).join('/');
  });
  return [...new Set(names.filter(Boolean))];
}

export function newestFirst(rows: Iterable<OperationView>): OperationView[] {
  return [...rows].sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''));
}

async function cancel(row: OperationView): Promise<void> {
  try {
    await ask('DELETE', path('clouds', row.cloud ?? '', 'operations', row.id ?? ''));
  } catch (error) {
    fail(words.value.cancelWhat(row.description ?? ''), asProblem(error));
  }
}

export function OperationRows({ rows }: { rows: OperationView[] }) {
  const t = words.value;
  return (
    <div class="table-scroll">
      <table class="table operations">
        <caption class="sr-only">{t.title}</caption>
        <thead>
          <tr>
            <th scope="col">{t.result}</th>
            <th scope="col">{t.what}</th>
            <th scope="col">{t.object}</th>
            <th scope="col">{t.who}</th>
            <th scope="col">{t.began}</th>
            <th scope="col">
              <span class="sr-only">{t.cancel}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.id} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row }: { row: OperationView }) {
  const t = words.value;
  const goesOn = isRunning(row);
  return (
    <tr>
      <td>
        <Result outcome={outcomeOf(row)} />
      </td>
      <th scope="row">
        {row.description}
        {goesOn && row.progress && <div class="quiet small">{row.progress}</div>}
        {row.error && <div class="bad small">{row.error}</div>}
      </th>
      <td>
        <span class="mono">{objectsOf(row).join(', ')}</span>
        <div class="quiet small">{[row.cloud, row.project].filter(Boolean).join(' / ')}</div>
      </td>
      <td class="whole">{row.by?.login ?? row.by?.node ?? <span class="quiet">{t.unknown}</span>}</td>
      <td>
        <Time at={row.created_at} />
      </td>
      <td class="actions">
        {goesOn && row.may_cancel && may('edit', row.cloud, row.project) && (
          <Button kind="plain" icon="x" label={t.cancelWhat(row.description ?? '')} onClick={() => void cancel(row)} />
        )}
      </td>
    </tr>
  );
}
