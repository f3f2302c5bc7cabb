// What this page has begun: it is followed to its end, and told.
import { effect, signal } from '@preact/signals';
import { asProblem, get, path } from '../api/client';
import type { JobView, Problem } from '../api/types';
import { fail, say } from '../components/toasts';

type Followed = { label: string; job: JobView; done: (job: JobView) => void };

/** The jobs that go on, by their number. */
const followed = signal<ReadonlyMap<string, Followed>>(new Map());

/** Jobs that this page has begun, running ones and those that have ended, the newest first. */
export const own = signal<JobView[]>([]);

/** How often the node is asked while something goes on, in milliseconds. */
const PAUSE = 1_000;

/** Begins something and tells how it ends. What fails is told in the server's words. Gives the job at its end, or nothing. */
export async function begin(label: string, request: Promise<JobView>): Promise<JobView | null> {
  let job: JobView;
  try {
    job = await request;
  } catch (error) {
    fail(label, asProblem(error));
    return null;
  }
  if (job.status !== 'running') return end(label, job);
  return new Promise((done) => {
    followed.value = new Map(followed.value).set(job.id, { label, job, done });
    own.value = [job, ...own.value.filter((one) => one.id !== job.id)];
  }).then((job) => end(label, job as JobView));
}

/** The problem of a job that did not end well. */
export function problemOf(job: JobView): Problem | null {
  return job.parts.find((part) => part.problem)?.problem as Problem | null;
}

function end(label: string, job: JobView): JobView {
  own.value = [job, ...own.value.filter((one) => one.id !== job.id)].slice(0, 50);
  const problem = problemOf(job);
  if (job.status === 'done') say(label);
  // Who begins a bulk shows what became of each.
  else if (problem && job.parts.length === 1 && job.status !== 'cancelled') fail(label, problem);
  return job;
}

let timer: ReturnType<typeof setTimeout> | undefined;

effect(() => {
  clearTimeout(timer);
  if (followed.value.size > 0) timer = setTimeout(look, PAUSE);
});

async function look(): Promise<void> {
  let listed: Map<string, JobView>;
  try {
    listed = new Map((await get<JobView[]>(path('jobs'))).map((job) => [job.id, job]));
  } catch {
    // The link is lost; jobs go on, and the next look tells.
    followed.value = new Map(followed.value);
    return;
  }
  const rest = new Map(followed.value);
  for (const [id, one] of followed.value) {
    // A node that was started anew knows nothing of it.
    const job: JobView = listed.get(id) ?? { ...one.job, status: 'failed' };
    own.value = own.value.map((before) => (before.id === id ? job : before));
    if (job.status === 'running') rest.set(id, { ...one, job });
    else {
      rest.delete(id);
      one.done(job);
    }
  }
  followed.value = rest;
}

/** How far a job is, as the cloud tells it. */
export function stageOf(job: JobView): string {
  const part = job.parts.find((one) => one.status === 'running');
  return part?.stage ?? '';
}
