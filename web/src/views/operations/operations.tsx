// What goes on and what went on, on all clouds and at this node.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, asProblem, get, path } from '../../api/client';
import type { JobView } from '../../api/types';
import { own } from '../../app/jobs';
import { place, setQuery } from '../../app/router';
import { link, loaded, operations, trouble } from '../../app/store';
import { Button } from '../../components/button';
import { isRunning, newestFirst, OperationRows, objectsOf, Result } from '../../components/operations';
import { SearchField } from '../../components/search-field';
import { Empty, Failure, Loading } from '../../components/states';
import { Time } from '../../components/time';
import { fail } from '../../components/toasts';
import { words } from '../../i18n/operations';

/** No more rows are drawn. */
const MOST = 200;

export function Operations() {
  const t = words.value;
  const text = (place.value.query.get('q') ?? '').trim().toLowerCase();
  const rows = newestFirst(operations.value.values()).filter(
    (row) =>
      !text ||
      [row.description, row.cloud, row.project, row.by?.login, row.by?.node, ...objectsOf(row)].some((word) =>
        word?.toLowerCase().includes(text),
      ),
  );
  const running = rows.filter(isRunning);
  const past = rows.filter((row) => !isRunning(row)).slice(0, MOST);
  return (
    <div class="stack">
      <div class="heading">
        <h1>{t.title}</h1>
      </div>
      <search class="filters no-print">
        <SearchField
          label={t.search}
          value={place.value.query.get('q') ?? ''}
          onChange={(text) => setQuery({ q: text })}
        />
      </search>
      {loaded.value === 'nothing' ? (
        trouble.value ? (
          <Failure problem={trouble.value} />
        ) : (
          <Loading />
        )
      ) : rows.length === 0 ? (
        <Empty icon="activity" title={t.nothing}>
          <p>{t.nothingHint}</p>
        </Empty>
      ) : (
        <>
          {running.length > 0 && (
            <section class="stack" aria-labelledby="running">
              <h2 id="running">{t.running}</h2>
              <OperationRows rows={running} />
            </section>
          )}
          <section class="stack" aria-labelledby="past">
            <h2 id="past">{t.past}</h2>
            <OperationRows rows={past} />
          </section>
        </>
      )}
      <Jobs />
    </div>
  );
}

/** How often jobs are asked for while one goes on, in milliseconds. */
const PAUSE = 2_000;

/** What callers have begun at this node. */
function Jobs() {
  const t = words.value;
  const jobs = useSignal<JobView[]>([]);
  const goesOn = jobs.value.some((job) => job.status === 'running');
  useEffect(() => {
    const look = () =>
      get<JobView[]>(path('jobs')).then(
        (all) => {
          jobs.value = all;
        },
        () => {},
      );
    void look();
    if (!goesOn) return;
    const timer = setInterval(look, PAUSE);
    return () => clearInterval(timer);
  }, [goesOn, own.value, link.value, operations.value.size]);
  if (jobs.value.length === 0) return null;
  return (
    <section class="stack" aria-labelledby="jobs">
      <div>
        <h2 id="jobs">{t.jobs}</h2>
        <p class="quiet small">{t.jobsHint}</p>
      </div>
      <ul class="table-scroll jobs">
        {jobs.value.slice(0, MOST).map((job) => (
          <Job key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}

async function cancel(job: JobView): Promise<void> {
  try {
    await ask('DELETE', path('jobs', job.id));
  } catch (error) {
    fail(words.value.cancelWhat(job.action), asProblem(error));
  }
}

function Job({ job }: { job: JobView }) {
  const t = words.value;
  const done = job.parts.filter((part) => part.status === 'done').length;
  const failed = job.parts.filter((part) => part.problem);
  const [only] = job.parts;
  const current = job.parts.find((part) => part.status === 'running');
  return (
    <li class="job">
      <Result outcome={job.status} />
      <div class="grow">
        <strong>{job.action}</strong>{' '}
        <span class="mono">{job.parts.length === 1 ? only?.object : t.parts(done, job.parts.length)}</span>{' '}
        <span class="quiet small">{job.parts.length === 1 ? `${only?.cloud} / ${only?.project}` : ''}</span>
        {current?.stage && <div class="quiet small">{current.stage}</div>}
        {current?.total ? (
          <progress class="progress" value={current.bytes} max={current.total} aria-label={job.action} />
        ) : null}
        {failed.map((part) => (
          <div key={`${part.cloud}/${part.project}/${part.object}`} class="bad small">
            {job.parts.length > 1 && <span class="mono">{`${part.cloud}/${part.project}/${part.object}: `}</span>}
            {part.problem?.detail}
          </div>
        ))}
      </div>
      <span>{job.by.login ?? job.by.node}</span>
      <span class="small quiet">
        <Time at={job.created_at} />
      </span>
      {job.status === 'running' && (
        <Button kind="plain" icon="x" label={t.cancelWhat(job.action)} onClick={() => void cancel(job)} />
      )}
    </li>
  );
}
