// The checklist as lights, and the doctor.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, asProblem, get, path } from '../../api/client';
import type { Report } from '../../api/types';
import { clouds, node } from '../../app/store';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Icon } from '../../components/icon';
import { now, Time } from '../../components/time';
import { fail } from '../../components/toasts';
import { words } from '../../i18n/overview';
import { asText, type Check, type CloudCheck, cloudCheck, type Light, nodeChecks } from './checklist';

const SHAPES: Record<Light, [icon: string, colour: string]> = {
  good: ['circle-check', 'good'],
  warn: ['triangle-alert', 'warn'],
  bad: ['circle-x', 'bad'],
  unknown: ['circle-help', 'quiet'],
};

function Lamp({ light }: { light: Light }) {
  const [icon, colour] = SHAPES[light];
  return (
    <span class={`lamp ${colour}`}>
      <Icon name={icon} />
      <span class="sr-only">{words.value.lights[light]}</span>
    </span>
  );
}

export function Checklist() {
  const t = words.value;
  const checks: (Check | CloudCheck)[] = [
    ...nodeChecks(node.value, now.value),
    ...clouds.value.map((cloud) => cloudCheck(cloud)),
  ];
  return (
    <section class="card stack" aria-labelledby="checklist">
      <div class="heading">
        <h2 id="checklist">{t.checklist}</h2>
        <div class="row no-print">
          <CopyButton text={asText(checks)}>{t.copyText}</CopyButton>
          <Doctor />
        </div>
      </div>
      <ul class="checklist" aria-live="polite">
        {checks.map((check) => (
          <Line key={check.name} check={check} />
        ))}
      </ul>
      <Findings />
    </section>
  );
}

function Line({ check }: { check: Check | CloudCheck }) {
  return (
    <li class="check-line">
      <Lamp light={check.light} />
      <div class="grow">
        <div class="row">
          <strong>{check.name}</strong>
          {'stages' in check &&
            check.stages.map((stage) => (
              <span key={stage.name} class="chip">
                <Lamp light={stage.light} />
                {stage.name}
              </span>
            ))}
        </div>
        {check.detail && <div class="small">{check.detail}</div>}
        {check.remedy && (
          <div class="row small">
            <span class="grow">→ {check.remedy}</span>
            <CopyButton text={`${check.name}: ${check.detail ?? ''}\n${check.remedy}`} />
          </div>
        )}
      </div>
    </li>
  );
}

/** What the doctor found when it last ran. */
const shown = signal<Report | null>(null);

function Doctor() {
  const t = words.value;
  const runs = useSignal(false);
  const run = async () => {
    runs.value = true;
    try {
      shown.value = (await ask<Report>('POST', path('doctor'), { wait: 60 })).body;
    } catch (error) {
      fail(t.runDoctor, asProblem(error));
    }
    runs.value = false;
  };
  return (
    <Button icon="activity" busy={runs.value} disabled={runs.value} onClick={() => void run()}>
      {runs.value ? t.doctorRuns : t.runDoctor}
    </Button>
  );
}

function Findings() {
  const t = words.value;
  useEffect(() => {
    if (shown.value) return;
    get<Report>(path('doctor')).then(
      (last) => {
        shown.value = last;
      },
      () => {},
    );
  }, []);
  const last = shown.value;
  if (!last?.ran_at) return null;
  const bad = last.findings.filter((finding) => finding.result !== 'pass');
  return (
    <div class="stack">
      <p class="quiet small">
        {t.doctorRan} <Time at={last.ran_at} />: {last.findings.length - bad.length} {t.lights.good}, {bad.length}{' '}
        {t.lights.warn}
      </p>
      <ul class="checklist">
        {bad.map((finding) => (
          <Line
            key={finding.area + finding.message}
            check={{
              name: finding.area,
              light: finding.result === 'fail' ? 'bad' : 'warn',
              detail: finding.message,
              remedy: finding.remedy || undefined,
            }}
          />
        ))}
      </ul>
    </div>
  );
}
