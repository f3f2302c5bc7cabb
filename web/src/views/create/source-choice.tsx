// The instance, or its snapshot, that is copied.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, get, instancePath } from '../../api/client';
import type { CopyMode, InstanceRow, Problem, Snapshot, WholeInstance } from '../../api/types';
import { instances, loaded, may } from '../../app/store';
import { Button } from '../../components/button';
import { SearchField } from '../../components/search-field';
import { Failure, Loading } from '../../components/states';
import { Status } from '../../components/status';
import { words } from '../../i18n/create';
import { exact, moment } from '../../i18n/format';
import type { Section } from './create';
import { hasState, type Key, placesOf } from './draft';
import { Check, Choice, More } from './fields';

/** No more are offered; the search finds the others. */
const MOST = 50;

const MODES: CopyMode[] = ['auto', 'pull', 'push', 'relay'];

export function SourceChoice(section: Section) {
  const { draft, change, errors } = section;
  const t = words.value;
  const { source } = draft;
  if (!source) return <Search {...section} />;
  const row = instances.value.get(`${source.cloud}/${source.project}/${source.name}`);
  return (
    <>
      <div class="row">
        {row && <Status status={row.status} />}
        <strong class="mono">{`${source.cloud}/${source.project}/${source.name}`}</strong>
        <Button icon="x" onClick={() => change({ source: null, snapshot: '' })}>
          {t.change}
        </Button>
      </div>
      <More error={errors.source} />
      {row ? <Details {...section} row={row} source={source} /> : loaded.value !== 'all' && <Loading />}
    </>
  );
}

function Search({ change, errors }: Section) {
  const t = words.value;
  const text = useSignal('');
  const wanted = text.value.trim().toLowerCase();
  const found = [...instances.value.values()].filter(
    ({ cloud, project, name }) =>
      `${cloud}/${project}/${name}`.toLowerCase().includes(wanted) && may('edit', cloud, project),
  );
  return (
    <>
      <SearchField
        label={t.searchSource}
        value={text.value}
        isWrong={Boolean(errors.source)}
        onChange={(typed) => {
          text.value = typed;
        }}
      />
      <More error={errors.source} />
      <ul class="options" aria-label={t.source}>
        {found.slice(0, MOST).map(({ cloud, project, name, status }) => (
          <li key={`${cloud}/${project}/${name}`}>
            <button
              type="button"
              class="option"
              onClick={() => change({ source: { cloud, project, name }, snapshot: '' })}
            >
              <strong class="grow">{name}</strong>
              <span class="quiet">{`${cloud} / ${project}`}</span>
              <Status status={status} />
            </button>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="quiet">{t.noSource}</p>}
    </>
  );
}

function Details({ draft, change, row, source }: Section & { row: InstanceRow; source: Key }) {
  const t = words.value;
  const snapshots = useSignal<Snapshot[] | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    get<WholeInstance>(instancePath(source), undefined, stop.signal)
      .then((whole) => {
        snapshots.value = whole.instance?.snapshots ?? [];
      })
      .catch((error) => {
        if (!stop.signal.aborted) problem.value = asProblem(error);
      });
    return () => stop.abort();
  }, [row.snapshots]);
  const tell = ({ name, created_at }: Snapshot) => {
    const date = moment(created_at);
    return t.inSnapshot(name, date ? exact(date) : '');
  };
  const names = (snapshots.value ?? []).map((one): [string, string] => [one.name, tell(one)]);
  // One that the address names may not have been told yet.
  if (draft.snapshot && !names.some(([name]) => name === draft.snapshot))
    names.push([draft.snapshot, t.inSnapshot(draft.snapshot, '')]);
  const runs = row.status === 'Running';
  const between = placesOf(draft).some(({ cloud }) => cloud !== source.cloud);
  return (
    <>
      {problem.value && <Failure problem={problem.value} />}
      <div class="columns">
        <Choice
          label={t.snapshot}
          name="snapshot"
          value={draft.snapshot}
          choices={[['', t.now], ...names]}
          hint={runs && !draft.snapshot ? t.runs : undefined}
          change={(snapshot) => change({ snapshot })}
        />
        {between && (
          <Choice
            label={t.way}
            name="mode"
            value={draft.mode}
            choices={MODES.map((mode) => [mode, t.ways[mode]])}
            change={(mode) => change({ mode: mode as CopyMode })}
          />
        )}
      </div>
      <div class="row">
        {!draft.snapshot && (
          <Check
            label={t.instanceOnly}
            value={draft.instanceOnly}
            change={(instanceOnly) => change({ instanceOnly })}
          />
        )}
        {hasState(draft) && (
          <Check label={t.stateless} value={draft.stateless} change={(stateless) => change({ stateless })} />
        )}
        {!draft.snapshot && runs && (
          <Check
            label={t.inconsistent}
            value={draft.inconsistent}
            change={(inconsistent) => change({ inconsistent })}
          />
        )}
      </div>
    </>
  );
}
