// What became of a copy or a move: which way the bytes took, why not a better one, and whether it was found to be whole.
import type { JobView, NewCopy } from '../../api/types';
import { problemOf } from '../../app/jobs';
import { go, to } from '../../app/router';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Failure } from '../../components/states';
import { bytes, count } from '../../i18n/format';
import { words } from '../../i18n/instance-transfer';

type Way = keyof typeof words.value.tookWay;

/** What the job tells of a copy that was made. */
type Copied = {
  way: Way;
  not_by: { way: Way; why: string }[];
  bytes?: number | null;
  seconds: number;
  snapshots: string[];
  counted?: { alike: { entries?: number; bytes?: number } } | { no: string } | null;
};

export function Outcome({ job, wanted, close }: { job: JobView; wanted: NewCopy; close: () => void }) {
  const t = words.value;
  const problem = problemOf(job);
  if (job.status === 'cancelled') return <p role="status">{t.cancelled}</p>;
  if (job.status !== 'done') {
    return problem ? <Failure problem={problem} /> : <p role="alert">{t.lost}</p>;
  }
  const copied = job.parts[0]?.result as Copied | undefined;
  const open = () => {
    close();
    go(to('instances', wanted.cloud, wanted.project, wanted.name ?? ''));
  };
  return (
    <div class="stack" role="status">
      <p class="row">
        <Icon name="circle-check" class="good" />
        <strong>{t.isThere(`${wanted.cloud}/${wanted.project}/${wanted.name}`)}</strong>
      </p>
      {copied?.way && <p>{t.tookWay[copied.way]}</p>}
      {copied?.not_by?.map(({ way, why }) => (
        <p key={way} class="quiet small">
          {t.notBy(t.modes[way as keyof typeof t.modes] ?? way)} {why}
        </p>
      ))}
      {copied?.bytes ? (
        <p class="quiet">
          {t.carried(bytes(copied.bytes), bytes(copied.seconds > 0 ? copied.bytes / copied.seconds : 0))}
        </p>
      ) : null}
      {copied?.counted && 'alike' in copied.counted && (
        <p class="quiet">
          {t.counted(count(copied.counted.alike.entries ?? 0), bytes(copied.counted.alike.bytes ?? 0))}
        </p>
      )}
      {copied?.counted && 'no' in copied.counted && <p class="quiet">{t.notCounted(copied.counted.no)}</p>}
      <div>
        <Button kind="primary" icon="box" onClick={open}>
          {t.open}
        </Button>
      </div>
    </div>
  );
}
