// What becomes of each instance that is being made.
import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { to } from '../../app/router';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/create';
import { bytes } from '../../i18n/format';
import { cancel, type Outcome, partOf, type Run, retry, type State } from './run';

const LOOKS: Record<State, [icon: string, colour: string]> = {
  waiting: ['ellipsis', 'quiet'],
  running: ['loader-circle', 'warn'],
  starting: ['loader-circle', 'warn'],
  done: ['circle-check', 'good'],
  failed: ['circle-x', 'bad'],
  cancelled: ['circle-x', 'quiet'],
};

export function Outcomes({ run }: { run: Run }) {
  const t = words.value;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, [run]);
  const states = run.map(({ value }) => value.state);
  const done = states.filter((state) => state === 'done').length;
  const failed = states.filter((state) => state === 'failed' || state === 'cancelled').length;
  const [only] = run;
  return (
    <section class="card stack">
      <div class="heading">
        <h2 ref={heading} tabIndex={-1}>
          {t.outcome}
        </h2>
        <span class="quiet" role="status">
          {t.summary(done, run.length)}
        </span>
      </div>
      <ul class="stack">
        {run.map((outcome, at) => (
          <One key={at} outcome={outcome} />
        ))}
      </ul>
      <div class="row">
        {run.length === 1 && only?.value.state === 'done' && only.value.name && (
          <a class="button primary" href={addressOf(only.value)}>
            <Icon name="box" />
            {t.open(only.value.name)}
          </a>
        )}
        {failed > 0 && (
          <Button icon="rotate-cw" onClick={() => retry(run)}>
            {t.retry(failed)}
          </Button>
        )}
      </div>
    </section>
  );
}

function addressOf({ wanted, name }: Outcome): string {
  return to('instances', wanted.to.cloud, wanted.to.project, name);
}

function One({ outcome }: { outcome: Signal<Outcome> }) {
  const t = words.value;
  const { name, state, problem, wanted } = outcome.value;
  const [icon, colour] = LOOKS[state];
  const part = state === 'running' ? partOf(outcome.value) : undefined;
  const title = name || t.unnamed;
  return (
    <li class="outcome">
      <Icon name={icon} class={`${colour}${icon === 'loader-circle' ? ' spin' : ''}`} />
      <div class="grow">
        <div class="row">
          {state === 'done' && name ? (
            <a href={addressOf(outcome.value)}>
              <strong>{name}</strong>
            </a>
          ) : (
            <strong>{title}</strong>
          )}
          <span class="quiet">{`${wanted.to.cloud} / ${wanted.to.project}`}</span>
          <span class={colour}>{t.states[state]}</span>
        </div>
        {part && <Progress stage={part.stage} bytes={part.bytes} total={part.total} title={title} />}
        {problem && (
          <div class="small">
            <span class="bad">{problem.detail}</span> {problem.remedy && <span class="quiet">{problem.remedy}</span>}
          </div>
        )}
      </div>
      {state === 'running' && outcome.value.job && (
        <Button icon="x" label={t.cancel(title)} onClick={() => void cancel(outcome)}>
          {common.value.cancel}
        </Button>
      )}
    </li>
  );
}

type ProgressProps = { stage?: string; bytes?: number; total?: number | null; title: string };

/** The cloud's own words, and how many bytes of how many. */
function Progress({ stage, bytes: some = 0, total, title }: ProgressProps) {
  const t = words.value;
  return (
    <>
      <div class="small quiet">
        {stage} {some > 0 && (total ? t.bytesOf(bytes(some), bytes(total)) : bytes(some))}
      </div>
      {total ? <progress class="progress" max={total} value={some} aria-label={title} /> : null}
    </>
  );
}
