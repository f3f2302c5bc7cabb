// Makes what is wanted: one request for each, and what becomes of each.
import { type Signal, signal } from '@preact/signals';
import { ask, asProblem, instancePath, path } from '../../api/client';
import type { JobView, PartView, Problem } from '../../api/types';
import { body } from '../../app/actions';
import { begin, own, problemOf } from '../../app/jobs';
import { fail } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/create';
import type { Wanted } from './wanted';

export type State = 'waiting' | 'running' | 'starting' | 'done' | 'failed' | 'cancelled';

export type Outcome = {
  wanted: Wanted;
  /** Its name, also where the cloud has chosen it. */
  name: string;
  state: State;
  job: string;
  problem: Problem | null;
};

export type Run = Signal<Outcome>[];

/** What goes on with it, as the job tells. */
export function partOf({ job }: Outcome): PartView | undefined {
  return own.value.find(({ id }) => id === job)?.parts[0];
}

/** Begins one after the other; they go on side by side. */
export function run(all: Wanted[]): Run {
  const outcomes = all.map((wanted) =>
    signal<Outcome>({ wanted, name: wanted.to.name, state: 'waiting', job: '', problem: null }),
  );
  void work(outcomes);
  return outcomes;
}

/** Once more those that failed. */
export function retry(outcomes: Run): void {
  const failed = outcomes.filter(({ value }) => value.state === 'failed' || value.state === 'cancelled');
  for (const outcome of failed) outcome.value = { ...outcome.value, state: 'waiting', job: '', problem: null };
  void work(failed);
}

async function work(outcomes: Run): Promise<void> {
  for (const outcome of outcomes) {
    if (outcome.value.state !== 'waiting') continue;
    const request = outcome.value.wanted.send();
    void follow(outcome, request);
    await request.catch(() => {});
  }
}

async function follow(outcome: Signal<Outcome>, request: Promise<JobView>): Promise<void> {
  const put = (change: Partial<Outcome>) => {
    outcome.value = { ...outcome.value, ...change };
  };
  put({ state: 'running' });
  const known = request.then(
    (job) => {
      put({ job: job.id });
      return job;
    },
    (error) => {
      put({ state: 'failed', problem: asProblem(error) });
      throw error;
    },
  );
  const job = await begin(words.value.made(outcome.value.name || words.value.unnamed), known);
  if (!job) return;
  if (job.status !== 'done') {
    put({ state: job.status === 'cancelled' ? 'cancelled' : 'failed', problem: problemOf(job) });
    return;
  }
  const { name } = (job.parts[0]?.result ?? {}) as { name?: string };
  put({ name: outcome.value.name || name || '' });
  if (outcome.value.wanted.startAfter) await start(outcome, put);
  else put({ state: 'done' });
}

/** A copy is started by a request of its own. */
async function start({ value }: Signal<Outcome>, put: (change: Partial<Outcome>) => void): Promise<void> {
  put({ state: 'starting' });
  const { to } = value.wanted;
  const request = ask<JobView>('PUT', instancePath({ ...to, name: value.name }, 'state'), {
    body: { action: 'start' },
  });
  const job = await begin(`${common.value.actionNames.start}: ${value.name}`, body(request));
  // It is made; that it does not run is told beside it.
  put({ state: 'done', problem: job ? problemOf(job) : null });
}

export async function cancel({ value }: Signal<Outcome>): Promise<void> {
  try {
    await ask('DELETE', path('jobs', value.job));
  } catch (error) {
    fail(words.value.cancel(value.name), asProblem(error));
  }
}
