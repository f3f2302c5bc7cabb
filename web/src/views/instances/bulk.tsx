// What is done to all that are picked, and what became of each.
import { useSignal } from '@preact/signals';
import type { InstanceKey, InstanceRow, JobView, PartView, StateAction } from '../../api/types';
import { ACTION_ICONS, actionsFor, changeState, remove } from '../../app/actions';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { Dialog, show } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instances';
import { pickNone, pickOnly } from './selection';

const ACTIONS: StateAction[] = ['start', 'stop', 'restart', 'freeze', 'unfreeze'];

export function Bulk({ rows, matching }: { rows: InstanceRow[]; matching: InstanceRow[] }) {
  const busy = useSignal(false);
  const t = words.value;
  const names = common.value.actionNames;
  const run = async (action: StateAction) => {
    const fitting = rows.filter((row) => actionsFor(row.status).includes(action));
    busy.value = true;
    const job = await changeState(fitting, action).finally(() => {
      busy.value = false;
    });
    if (!job) return;
    if (job.parts.length > 1 && job.status !== 'done') showOutcome(job, action);
    else pickNone();
  };
  return (
    <section class="bulk" aria-label={t.picked(rows.length)}>
      <strong role="status">{t.picked(rows.length)}</strong>
      {matching.length > rows.length && (
        <Button kind="plain" onClick={() => pickOnly(matching)}>
          {t.pickMatching(matching.length)}
        </Button>
      )}
      <span class="grow" />
      {ACTIONS.map((action) => {
        const fitting = rows.filter(
          (row) => actionsFor(row.status).includes(action) && may('operate', row.cloud, row.project),
        ).length;
        if (fitting === 0) return null;
        return (
          <Button key={action} icon={ACTION_ICONS[action]} disabled={busy.value} onClick={() => void run(action)}>
            {names[action]} <span class="quiet">{fitting}</span>
          </Button>
        );
      })}
      <Button
        kind="danger"
        icon="trash-2"
        disabled={busy.value || !rows.every((row) => may('edit', row.cloud, row.project))}
        onClick={() => void remove(rows)}
      >
        {common.value.delete}
      </Button>
      <Button kind="plain" icon="x" label={t.clear} onClick={pickNone} />
    </section>
  );
}

function keyOf(part: PartView): InstanceKey {
  return { cloud: part.cloud, project: part.project, name: part.object.replace(/^instances\//, '') };
}

/** The outcome for each, and those that failed once more. */
function showOutcome(job: JobView, action: StateAction): void {
  const failed = job.parts.filter((part) => part.status !== 'done');
  const t = words.value;
  show((close) => (
    <Dialog
      wide
      title={`${common.value.actionNames[action]}: ${t.outcome(job.parts.length - failed.length, failed.length)}`}
      close={close}
      actions={
        <>
          <Button onClick={close}>{common.value.close}</Button>
          <Button
            kind="primary"
            icon="rotate-cw"
            onClick={() => {
              close();
              void changeState(failed.map(keyOf), action).then(
                (again) => again && again.status !== 'done' && again.parts.length > 1 && showOutcome(again, action),
              );
            }}
          >
            {t.retryFailed(failed.length)}
          </Button>
        </>
      }
    >
      <ul class="stack">
        {[...failed, ...job.parts.filter((part) => part.status === 'done')].map((part) => {
          const { cloud, project, name } = keyOf(part);
          return (
            <li key={`${cloud}/${project}/${name}`} class="row">
              <Icon
                name={part.status === 'done' ? 'circle-check' : 'circle-x'}
                class={part.status === 'done' ? 'good' : 'bad'}
              />
              <span class="mono">{`${cloud}/${project}/${name}`}</span>
              <span class="quiet grow">{part.problem?.detail}</span>
            </li>
          );
        })}
      </ul>
    </Dialog>
  ));
}
