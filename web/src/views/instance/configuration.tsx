// The settings of the instance: the common ones as a form, all keys in a table, and the whole as YAML. All three change the
// same draft.
import { useSignal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { asProblem } from '../../api/client';
import type { InstanceRow } from '../../api/types';
import { place, setQuery } from '../../app/router';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { Empty, Failure, Loading } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-settings';
import { Conflict } from './conflict';
import type { Draft } from './draft';
import { Form } from './form';
import { Keys } from './keys';
import { SaveBar } from './save-bar';
import type { Source } from './source';
import { isOld } from './stale';

type Shape = keyof typeof words.value.shapes;
const SHAPES: Shape[] = ['form', 'keys', 'yaml'];

export function Configuration({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const mayEdit = may('edit', row.cloud, row.project);
  const asked = place.value.query.get('as');
  const shape = SHAPES.find((one) => one === asked) ?? 'form';
  const label = t.saved(row.name);
  const { draft } = source;
  return (
    <div class={isOld(source) ? 'stack dim' : 'stack'}>
      <fieldset class="row">
        <legend class="sr-only">{t.shape}</legend>
        {SHAPES.map((one) => (
          <Button key={one} aria-pressed={one === shape} onClick={() => setQuery({ as: one === 'form' ? '' : one })}>
            {t.shapes[one]}
          </Button>
        ))}
      </fieldset>
      {!mayEdit && <p class="quiet">{`${t.readOnly}: ${common.value.mayNot('edit')}`}</p>}
      <Conflict draft={draft} label={label} />
      {draft.problem.value && <Failure problem={draft.problem.value} />}
      {!draft.mine.value ? (
        <Unknown source={source} row={row} />
      ) : shape === 'keys' ? (
        <Keys source={source} row={row} mayEdit={mayEdit} />
      ) : shape === 'yaml' ? (
        <Editor draft={draft} mayEdit={mayEdit} />
      ) : (
        <Form source={source} row={row} mayEdit={mayEdit} />
      )}
      {mayEdit && <SaveBar draft={draft} row={row} label={label} />}
    </div>
  );
}

/** Its server does not tell the settings now; what the list knows of them stays. */
function Unknown({ source, row }: { source: Source; row: InstanceRow }) {
  if (!source.whole.value && !source.problem.value) return <Loading />;
  return Object.keys(row.config).length > 0 ? (
    <Keys source={source} row={row} mayEdit={false} />
  ) : (
    <Empty icon="wifi-off" title={words.value.unknown} />
  );
}

type EditorView = ComponentType<{ draft: Draft; mayEdit: boolean }>;
let Loaded: EditorView | undefined;

/** The editor is loaded when it is asked for. */
function Editor(props: { draft: Draft; mayEdit: boolean }) {
  const arrived = useSignal(0);
  const failed = useSignal<unknown>(null);
  useEffect(() => {
    if (Loaded) return;
    import('./editor').then(
      ({ Editor }) => {
        Loaded = Editor;
        arrived.value++;
      },
      (error) => {
        failed.value = error;
      },
    );
  }, []);
  void arrived.value;
  if (Loaded) return <Loaded {...props} />;
  return failed.value ? <Failure problem={asProblem(failed.value)} retry={() => location.reload()} /> : <Loading />;
}
