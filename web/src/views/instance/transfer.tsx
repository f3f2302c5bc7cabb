// Copies or moves an instance, also to another cloud: where to, by which way, and how far it is.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, get, instancePath, path } from '../../api/client';
import type { InstanceRow, JobView, NewCopy, Problem } from '../../api/types';
import { begin, own, problemOf } from '../../app/jobs';
import { clouds, may } from '../../app/store';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog } from '../../components/dialog';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-transfer';
import { accepted } from './accepted';
import { Check, Select, Text } from './fields';
import { Progress } from './here';
import { type Action, transferCommand } from './transfer-command';
import { Outcome } from './transfer-outcome';
import { type Mode, Ways } from './transfer-ways';

type Props = {
  row: InstanceRow;
  action: Action;
  /** A snapshot of it, instead of the instance itself. */
  snapshot?: string;
  close: () => void;
};

/** Where the caller may put it: clouds with their projects. */
function targets(): { cloud: string; projects: string[] }[] {
  return clouds.value
    .map(({ name, projects }) => ({
      cloud: name,
      projects: projects.filter((project) => may('edit', name, project)),
    }))
    .filter(({ projects }) => projects.length > 0);
}

export function Transfer({ row, action, snapshot, close }: Props) {
  const t = words.value;
  const all = targets();
  // Mostly it goes elsewhere; a copy of a snapshot stays.
  const first = all.find(({ cloud }) => (snapshot ? cloud === row.cloud : cloud !== row.cloud)) ?? all[0];
  const cloud = useSignal(first?.cloud ?? row.cloud);
  const project = useSignal(first?.projects.find((one) => one === row.project) ?? first?.projects[0] ?? row.project);
  const name = useSignal(snapshot ? `${row.name}-${snapshot}` : row.name);
  const mode = useSignal<Mode>('auto');
  const pool = useSignal('');
  const instanceOnly = useSignal(false);
  const stateless = useSignal(row.status === 'Running');
  const refresh = useSignal(false);
  const inconsistent = useSignal(false);
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const job = useSignal<JobView | null>(null);
  const elsewhere = cloud.value !== row.cloud;
  const wanted: NewCopy = {
    cloud: cloud.value,
    project: project.value,
    name: name.value,
    snapshot: snapshot ?? null,
    mode: elsewhere ? mode.value : 'auto',
    instance_only: instanceOnly.value,
    stateless: stateless.value,
    refresh: refresh.value,
    allow_inconsistent: inconsistent.value,
    pool: pool.value || null,
  };
  const isSame = !elsewhere && project.value === row.project && name.value === row.name;
  const ready = name.value !== '' && !isSame && !busy.value;
  const start = async () => {
    if (!ready) return;
    const begun = await accepted(problem, busy, ask<JobView>('POST', instancePath(row, action), { body: wanted }));
    if (!begun) return;
    job.value = begun;
    const label = t.done[action](row.name, `${wanted.cloud}/${wanted.project}/${wanted.name}`);
    job.value = await begin(label, Promise.resolve(begun));
  };
  const running = useComputed(() => own.value.find(({ id }) => id === job.value?.id) ?? job.value);
  const now = running.value;
  if (now) {
    return (
      <Dialog
        wide
        title={t.titles[action](snapshot ? `${row.name}/${snapshot}` : row.name)}
        close={close}
        actions={
          <>
            {now.status !== 'running' && now.status !== 'done' && (
              <Button
                icon="undo-2"
                onClick={() => {
                  problem.value = problemOf(now);
                  job.value = null;
                }}
              >
                {t.back}
              </Button>
            )}
            <Button onClick={close}>{now.status === 'running' ? t.goOn : common.value.close}</Button>
          </>
        }
      >
        {now.status === 'running' ? <Progress job={now} /> : <Outcome job={now} wanted={wanted} close={close} />}
      </Dialog>
    );
  }
  return (
    <Dialog
      wide
      title={t.titles[action](snapshot ? `${row.name}/${snapshot}` : row.name)}
      close={close}
      submit={() => void start()}
      actions={
        <>
          <CopyButton text={transferCommand(row, action, wanted)}>{common.value.copyCommand}</CopyButton>
          <span class="grow" />
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" busy={busy.value} disabled={!ready}>
            {t.actions[action]}
          </Button>
        </>
      }
    >
      <div class="form-grid">
        <Select
          label={t.cloud}
          value={cloud.value}
          options={all.map((one) => ({ value: one.cloud, label: one.cloud }))}
          change={(chosen) => {
            const projects = all.find((one) => one.cloud === chosen)?.projects ?? [];
            cloud.value = chosen;
            if (!projects.includes(project.value)) project.value = projects[0] ?? '';
            pool.value = '';
          }}
        />
        <Select
          label={common.value.project}
          value={project.value}
          options={(all.find((one) => one.cloud === cloud.value)?.projects ?? []).map((value) => ({
            value,
            label: value,
          }))}
          change={(chosen) => {
            project.value = chosen;
          }}
        />
        <Text label={t.name} value={name} hint={isSame ? t.same : undefined} />
        <Pool cloud={cloud.value} value={pool.value} change={(chosen) => (pool.value = chosen)} />
      </div>
      {elsewhere ? <Ways row={row} to={cloud.value} mode={mode} /> : <p class="quiet">{t.inside[action]}</p>}
      <div class="stack checks">
        {!snapshot && <Check label={t.instanceOnly} value={instanceOnly} />}
        {action === 'copy' && !snapshot && <Check label={t.refresh} hint={t.refreshHint} value={refresh} />}
        {row.status !== 'Stopped' && <Check label={t.stateless} hint={t.statelessHint[action]} value={stateless} />}
        {row.status !== 'Stopped' && <Check label={t.inconsistent} value={inconsistent} />}
      </div>
      {action === 'move' && <p class="quiet">{t.moveHint}</p>}
      {problem.value && <Failure problem={problem.value} />}
    </Dialog>
  );
}

/** The storage pools of the target. */
function Pool({ cloud, value, change }: { cloud: string; value: string; change: (pool: string) => void }) {
  const t = words.value;
  const pools = useSignal<string[]>([]);
  useEffect(() => {
    pools.value = [];
    get<{ name: string }[]>(path('clouds', cloud, 'storage-pools')).then(
      (all) => {
        pools.value = all.map(({ name }) => name);
      },
      () => {}, // The cloud's own choice is left.
    );
  }, [cloud]);
  const options = [{ value: '', label: t.samePool }, ...pools.value.map((name) => ({ value: name, label: name }))];
  return <Select label={t.pool} value={value} options={options} change={change} />;
}
