// Another name or another folder for something.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { ApiError, ask, asProblem, instancePath } from '../../api/client';
import type { InstanceKey, JobView } from '../../api/types';
import { body } from '../../app/actions';
import { begin } from '../../app/jobs';
import { Button } from '../../components/button';
import { confirm, Dialog, show } from '../../components/dialog';
import { fail } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import { above, isName, nameOf, shown } from './paths';
import { WAIT } from './requests';

/** Asks for another path. `moved` is called once it has it. */
export function move(key: InstanceKey, path: string, moved: () => void): void {
  show((close) => <Move path={path} close={close} to={(next) => void give(key, path, next, moved)} />);
}

/** Gives it another path; what is there already is replaced only when the user says so. */
async function give(key: InstanceKey, from: string, to: string, moved: () => void, replace = false): Promise<void> {
  const t = words.value;
  const label = t.moved(shown(to));
  const address = instancePath(key, 'files', 'move');
  try {
    const answer = ask<JobView>('POST', address, { body: { from, to, replace }, wait: WAIT });
    await answer;
    const job = await begin(label, body(answer));
    if (job?.status === 'done') moved();
  } catch (error) {
    const isThere = error instanceof ApiError && error.status === 409 && !replace;
    if (!isThere) return fail(t.notMoved(shown(nameOf(from))), asProblem(error));
    const question = { title: t.replaceTitle, text: <p>{error.problem.detail}</p>, action: t.replace(1), danger: true };
    if (await confirm(question)) await give(key, from, to, moved, true);
  }
}

function Move({ path, close, to }: { path: string; close: () => void; to: (path: string) => void }) {
  const t = words.value;
  const next = useSignal(path);
  const field = useRef<HTMLInputElement>(null);
  const isGood = next.value.startsWith('/') && isName(nameOf(next.value));
  useEffect(() => {
    // The name is what changes most.
    field.current?.setSelectionRange(path.length - nameOf(path).length, path.length);
  }, []);
  const send = () => {
    if (!isGood || next.value === path) return;
    close();
    to(`${above(next.value) === '/' ? '' : above(next.value)}/${nameOf(next.value)}`);
  };
  return (
    <Dialog
      title={t.moveTitle(shown(nameOf(path)))}
      close={close}
      submit={send}
      actions={
        <>
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" disabled={!isGood || next.value === path}>
            {t.move}
          </Button>
        </>
      }
    >
      <label class="field">
        <span class="label">{t.newPath}</span>
        <input
          ref={field}
          class="input mono"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={next.value}
          aria-invalid={!isGood}
          onInput={(event) => {
            next.value = event.currentTarget.value;
          }}
        />
        {!isGood && <span class="error">{t.noPath}</span>}
      </label>
    </Dialog>
  );
}
