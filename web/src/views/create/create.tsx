// Makes instances: of an image, of another instance, or of nothing; several at once and in several clouds.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { clouds, instances, loaded, me } from '../../app/store';
import { useTitle } from '../../app/title';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { placesFor } from '../../components/place';
import { Empty, Failure, Loading } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/create';
import { count } from '../../i18n/format';
import { check, type Errors, type Field } from './check';
import { type Draft, namesOf, placesOf, prefilled } from './draft';
import { Check } from './fields';
import { Further } from './further';
import { Origin } from './origin';
import { Outcomes } from './outcomes';
import { Places } from './places';
import { knownOf, load, useResources } from './resources';
import { type Run, run } from './run';
import { Place, Size } from './shape';
import { commandsOf, wantedOf } from './wanted';

export type Section = { draft: Draft; change: (part: Partial<Draft>) => void; errors: Errors };

export function Create() {
  const t = words.value;
  useTitle(t.title);
  if (me.value === null || (clouds.value.length === 0 && loaded.value === 'nothing')) return <Loading />;
  if (placesFor('edit').length === 0) {
    return (
      <>
        <h1>{t.title}</h1>
        <Empty icon="shield" title={t.noRight}>
          <p>{t.noRightMore}</p>
          <a class="button" href="/access">
            {t.access}
          </a>
        </Empty>
      </>
    );
  }
  return <Form />;
}

function Form() {
  const t = words.value;
  const draft = useSignal(prefilled());
  const touched = useSignal<ReadonlySet<string>>(new Set());
  const tried = useSignal(false);
  const going = useSignal<Run | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const left = useRef<string[]>([]);
  const pressed = useRef(false);
  // What is wrong with a field is told once it is left; where that is by a press, after it, as nothing may move under it.
  const release = () => {
    pressed.current = false;
    const names = left.current.splice(0).filter((name) => !touched.value.has(name));
    if (names.length > 0) touched.value = new Set([...touched.value, ...names]);
  };
  useResources(placesOf(draft.value));
  const wrong = check(draft.value);
  const shown = Object.fromEntries(
    Object.entries(wrong).filter(([field]) => tried.value || touched.value.has(field as Field)),
  ) as Errors;
  const change = (part: Partial<Draft>) => {
    draft.value = { ...draft.value, ...part };
  };
  const outcomes = going.value;
  const sending = outcomes?.some(({ value }) => value.state === 'waiting' || (value.state === 'running' && !value.job));
  const ended = outcomes?.every(({ value }) => value.state === 'done');
  useEffect(() => {
    // All are made: the next ones have other names.
    if (ended) change({ names: '', count: '1' });
  }, [ended]);
  const send = () => {
    tried.value = true;
    if (Object.keys(wrong).length > 0) {
      setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
      return;
    }
    // The names are taken from now on, which is no fault of the form.
    tried.value = false;
    touched.value = new Set();
    going.value = run(wantedOf(draft.value));
  };
  const many = namesOf(draft.value).length * placesOf(draft.value).length;
  const section = { draft: draft.value, change, errors: shown };
  return (
    <form
      ref={form}
      class="stack create"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!sending) send();
      }}
      onPointerDown={() => {
        pressed.current = true;
        addEventListener('pointerup', () => setTimeout(release), { once: true });
        addEventListener('pointercancel', release, { once: true });
      }}
      onFocusOut={(event) => {
        const { name } = event.target as HTMLInputElement;
        if (!name) return;
        left.current.push(name);
        if (!pressed.current) release();
      }}
    >
      <h1>{t.title}</h1>
      <Troubles draft={draft.value} />
      <Places {...section} />
      <Origin {...section} />
      <Size {...section} />
      <Place {...section} />
      <Further {...section} />
      {tried.value && Object.keys(wrong).length > 0 && (
        <div class="problem" role="alert">
          <strong>{t.fix(Object.keys(wrong).length)}</strong>
          <ul>
            {Object.entries(wrong).map(([field, text]) => (
              <li key={field}>{text}</li>
            ))}
          </ul>
        </div>
      )}
      <div class="row submit">
        <Check label={t.start} value={draft.value.start} change={(start) => change({ start })} />
        <span class="grow" />
        <CopyButton text={commandsOf(draft.value)}>{common.value.copyCommand}</CopyButton>
        <Button type="submit" kind="primary" icon="plus" busy={sending}>
          {many > 1 ? t.submit.many(count(many)) : t.submit.one}
        </Button>
      </div>
      {draft.value.description && <p class="quiet small">{t.noDescription}</p>}
      {outcomes && <Outcomes run={outcomes} />}
    </form>
  );
}

/** The places that did not tell what they have. */
function Troubles({ draft }: { draft: Draft }) {
  void instances.value;
  return (
    <>
      {placesOf(draft).map((where) => {
        const problem = knownOf(where)?.problem;
        if (!problem) return null;
        const place = `${where.cloud}/${where.project}`;
        return (
          <section key={place} class="stack">
            <p>{words.value.lists(place)}</p>
            <Failure problem={problem} retry={() => void load(where)} />
          </section>
        );
      })}
    </>
  );
}
