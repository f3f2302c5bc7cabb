// What the instance has used during the last hour: a line for each thing, and how much it is now.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, get, instancePath } from '../../api/client';
import type { InstanceRow, Problem, Used } from '../../api/types';
import { command, nameOf } from '../../app/commands';
import { link } from '../../app/store';
import { CopyButton } from '../../components/copy';
import { Spark } from '../../components/spark';
import { now } from '../../components/time';
import { words as common } from '../../i18n/common';
import { bytes, count, percent } from '../../i18n/format';
import { words } from '../../i18n/instance';

/** How often it is asked for, in milliseconds. */
const PAUSE = 60_000;
/** The node has not looked at what nobody saw: the second answer has it. */
const SOON = 4_000;
/** An hour in steps, in seconds. */
const HOUR = 3_600;
const STEP = 60;
/** What was known longer ago than this says nothing any more, in seconds. */
const REACH = 600;

type Line = { at: number; value: number | null }[];

/** The values of an hour at equal steps; none where nothing was known. */
function steps(line: Line, end: number): (number | null)[] {
  const values: (number | null)[] = [];
  let next = 0;
  let last: Line[number] | undefined;
  for (let at = end - HOUR; at <= end; at += STEP) {
    while (next < line.length && (line[next]?.at ?? 0) <= at) last = line[next++];
    values.push(last && at - last.at <= REACH ? last.value : null);
  }
  return values;
}

/** A size as settings write it, in bytes: `512MiB`, `2GB`. None for a part in percent. */
function sizeOf(text: string | undefined): number | undefined {
  const [, number, prefix = '', binary] = text?.match(/^(\d+) ?([kKMGTPE]?)(i?)B?$/) ?? [];
  if (number === undefined) return undefined;
  const power = ' KMGTPE'.indexOf(prefix.toUpperCase() || ' ');
  return Number(number) * (binary ? 1024 : 1000) ** power;
}

export function Usage({ row, memoryLimit }: { row: InstanceRow; memoryLimit?: string }) {
  const t = words.value;
  const used = useSignal<Used | null>(null);
  const problem = useSignal<Problem | null>(null);
  const runs = row.status === 'Running' || row.status === 'Frozen' || row.status === 'Ready';
  useEffect(() => {
    let stopped = false;
    const look = async () => {
      if (document.visibilityState !== 'visible' || link.value === 'lost') return;
      try {
        const told = await get<Used>(instancePath(row, 'usage'));
        if (stopped) return;
        used.value = told;
        problem.value = null;
      } catch (error) {
        if (!stopped) problem.value = asProblem(error);
      }
    };
    void look();
    const soon = setTimeout(look, SOON);
    const timer = setInterval(look, PAUSE);
    return () => {
      stopped = true;
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [row.status]);
  return (
    <section class="card stack">
      <div class="heading">
        <h2>{t.usage}</h2>
        <CopyButton text={command(row.project, 'usage', nameOf(row))} label={common.value.copyCommand} />
      </div>
      {used.value && used.value.samples.length > 0 ? (
        <Lines used={used.value} runs={runs} limit={sizeOf(memoryLimit)} />
      ) : (
        <p class="quiet">
          {problem.value?.detail ?? (runs ? (used.value ? t.notYet : common.value.loading) : t.stopped)}
        </p>
      )}
    </section>
  );
}

function Lines({ used, runs, limit }: { used: Used; runs: boolean; limit?: number }) {
  const t = words.value;
  const { samples, rates } = used;
  const end = Math.max(now.value / 1000, samples.at(-1)?.at ?? 0);
  const of = (pick: (at: number) => number | null | undefined, from = 0): Line =>
    samples.slice(from).map((sample, at) => ({ at: sample.at ?? 0, value: pick(at) ?? null }));
  const newest = <T,>(list: T[]): T | undefined => (runs ? list.at(-1) : undefined);
  const sample = newest(samples);
  const rate = newest(rates);
  const lines = [
    { name: t.cpu, now: percent(rate?.cpu_percent), line: of((at) => rates[at]?.cpu_percent, 1) },
    {
      name: t.memory,
      now: sample ? bytes(sample.memory) + (limit ? ` / ${bytes(limit)}` : '') : '',
      line: of((at) => samples[at]?.memory),
      most: limit,
    },
    { name: t.disk, now: sample?.disk ? bytes(sample.disk) : '', line: of((at) => samples[at]?.disk || null) },
    { name: t.received, now: rate ? t.perSecond(bytes(rate.received)) : '', line: of((at) => rates[at]?.received, 1) },
    { name: t.sent, now: rate ? t.perSecond(bytes(rate.sent)) : '', line: of((at) => rates[at]?.sent, 1) },
    {
      name: t.processes,
      now: sample ? count(sample.processes ?? 0) : '',
      line: of((at) => samples[at]?.processes),
    },
  ].filter(({ line }) => line.some(({ value }) => value !== null));
  return (
    <dl class="usage">
      {lines.map(({ name, now: shown, line, most }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd class="number">{shown || <span class="quiet">{t.unknown}</span>}</dd>
          <dd>
            <Spark values={steps(line, end)} label={t.hourOf(name)} most={most} />
          </dd>
        </div>
      ))}
    </dl>
  );
}
