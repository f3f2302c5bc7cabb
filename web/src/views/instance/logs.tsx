// The logs that the server keeps of the instance, as text. Of a long one the end is shown.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, asProblem, get, instancePath, problemOf } from '../../api/client';
import type { InstanceRow, Problem } from '../../api/types';
import { command, nameOf } from '../../app/commands';
import { place, setQuery } from '../../app/router';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Icon } from '../../components/icon';
import { Empty, Failure, Loading } from '../../components/states';
import { words as common } from '../../i18n/common';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/instance-logs';
import type { Source } from './source';
import { type Shown, tail } from './tail';

export function Logs({ row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const names = useSignal<string[] | null>(null);
  const problem = useSignal<Problem | null>(null);
  const load = async () => {
    try {
      names.value = (await get<string[]>(instancePath(row, 'logs'))).sort();
      problem.value = null;
    } catch (error) {
      problem.value = asProblem(error);
    }
  };
  useEffect(() => void load(), [row.cloud, row.project, row.name, row.status]);
  if (!names.value) return problem.value ? <Failure problem={problem.value} retry={() => void load()} /> : <Loading />;
  if (names.value.length === 0) return <Empty icon="scroll-text" title={t.none} />;
  const asked = place.value.query.get('log');
  const chosen = names.value.find((name) => name === asked) ?? names.value[0] ?? '';
  return (
    <div class="stack">
      {problem.value && <Failure problem={problem.value} retry={() => void load()} />}
      <Log key={chosen} row={row} name={chosen} names={names.value} />
    </div>
  );
}

function Log({ row, name, names }: { row: InstanceRow; name: string; names: string[] }) {
  const t = words.value;
  const shown = useSignal<Shown | null>(null);
  const problem = useSignal<Problem | null>(null);
  const turn = useSignal(0);
  const address = instancePath(row, 'logs', name);
  useEffect(() => {
    const stop = new AbortController();
    const read = async () => {
      const response = await fetch(address, { signal: stop.signal, credentials: 'omit' });
      if (!response.ok) throw new ApiError(await problemOf(response));
      return tail(response);
    };
    read().then(
      (text) => {
        shown.value = text;
        problem.value = null;
      },
      (error) => {
        if (!stop.signal.aborted) problem.value = asProblem(error);
      },
    );
    return () => stop.abort();
  }, [address, turn.value]);
  const again = () => {
    turn.value++;
  };
  const text = shown.value;
  return (
    <div class="stack">
      <div class="row no-print">
        <select
          class="select fit"
          aria-label={t.file}
          value={name}
          onChange={(event) => setQuery({ log: event.currentTarget.value })}
        >
          {names.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <Button icon="refresh-cw" onClick={again}>
          {t.again}
        </Button>
        <a class="button" href={address} download={name}>
          <Icon name="download" />
          {t.download}
        </a>
        <CopyButton text={command(row.project, 'logs', nameOf(row), name)}>{common.value.copyCommand}</CopyButton>
        <span class="grow" />
        {text && (
          <span class="quiet small">
            {text.isPart ? t.part(bytes(text.shown), bytes(text.read)) : bytes(text.read)}
          </span>
        )}
      </div>
      {problem.value && <Failure problem={problem.value} retry={again} />}
      {text ? (
        text.text ? (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
          <section class="code log" tabIndex={0} aria-label={name}>
            <pre>{text.text}</pre>
          </section>
        ) : (
          <Empty icon="scroll-text" title={t.empty} />
        )
      ) : (
        !problem.value && <Loading />
      )}
    </div>
  );
}
