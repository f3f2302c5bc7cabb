// A small text file in a field. It is saved whole, and not over what somebody else has written meanwhile.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError, asProblem } from '../../api/client';
import type { InstanceKey, Problem } from '../../api/types';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { confirm, Dialog, show } from '../../components/dialog';
import { Failure, Loading } from '../../components/states';
import { fail, say } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import { bytes } from '../../i18n/format';
import { download } from './download';
import { nameOf, shown } from './paths';
import { addressOf, EDITABLE, look, read, write } from './requests';
import { decode, encode, type Text } from './text';

/** Opens a file. `saved` is called after each save. */
export function edit(key: InstanceKey, path: string, saved: () => void): void {
  show((close) => <Editor of={key} path={path} saved={saved} close={close} />);
}

type Opened = Text & { version: string };

/** Why there is nothing to edit. */
type Other = 'large' | 'binary' | 'mixed';

type Props = { of: InstanceKey; path: string; saved: () => void; close: () => void };

function Editor({ of, path, saved, close }: Props) {
  const t = words.value;
  const opened = useSignal<Opened | null>(null);
  const other = useSignal<Other | null>(null);
  const problem = useSignal<Problem | null>(null);
  const text = useSignal('');
  const isBusy = useSignal(false);
  const isChanged = opened.value !== null && text.value !== opened.value.text;

  const load = async () => {
    problem.value = null;
    try {
      const content = await read(of, path);
      const decoded = content ? decode(content.bytes) : 'large';
      if (typeof decoded === 'string') other.value = decoded;
      else if (content) {
        text.value = decoded.text;
        opened.value = { ...decoded, version: content.version };
      }
    } catch (error) {
      problem.value = asProblem(error);
    }
  };
  useEffect(() => void load(), []);

  const leave = async () => {
    if (isChanged && !(await confirm({ title: t.discardTitle, text: '', action: t.discard, danger: true }))) return;
    close();
  };

  const save = async () => {
    const before = opened.value;
    if (!before || isBusy.value || !isChanged) return;
    isBusy.value = true;
    try {
      const content = encode({ ...before, text: text.value });
      if (content.size > EDITABLE) throw new Error(t.tooLong(bytes(EDITABLE)));
      if (await mayReplace(of, path, before.version)) {
        const written = text.value;
        await write(addressOf(of, path), content);
        const now = await look(of, path).catch(() => null);
        opened.value = { ...before, text: written, version: now && 'version' in now ? now.version : '' };
        say(t.saved(shown(nameOf(path))));
        saved();
      }
    } catch (error) {
      fail(t.notSaved(shown(nameOf(path))), asProblem(error));
    }
    isBusy.value = false;
  };

  return (
    <Dialog
      title={shown(nameOf(path))}
      wide
      close={() => void leave()}
      submit={() => void save()}
      actions={
        <>
          <span class="quiet small grow" role="status">
            {isChanged ? t.changed : opened.value ? t.unchanged : ''}
          </span>
          <Button onClick={() => void leave()}>{common.value.close}</Button>
          {opened.value && (
            <Button type="submit" kind="primary" icon="save" busy={isBusy.value} disabled={!isChanged}>
              {common.value.save}
            </Button>
          )}
        </>
      }
    >
      <p class="quiet small mono">
        <bdi>{shown(path)}</bdi>
      </p>
      {problem.value && <Failure problem={problem.value} retry={() => void load()} />}
      {other.value && (
        <div class="stack">
          <p>{{ large: t.large(bytes(EDITABLE)), binary: t.binary, mixed: t.mixed }[other.value]}</p>
          <div>
            <Button icon="download" onClick={() => void download(of, path)}>
              {t.download}
            </Button>
          </div>
        </div>
      )}
      {!opened.value && !problem.value && !other.value && <Loading />}
      {opened.value && (
        <textarea
          class="textarea editor"
          aria-label={t.content(shown(nameOf(path)))}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          wrap="off"
          readOnly={!may('files', of.cloud, of.project)}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 's') {
              event.preventDefault();
              void save();
            }
          }}
        />
      )}
    </Dialog>
  );
}

/** Whether the file is still as it was read; where it is not, the user is asked. */
async function mayReplace(key: InstanceKey, path: string, version: string): Promise<boolean> {
  const t = words.value;
  let text = t.changedThere;
  try {
    const now = await look(key, path);
    if ('version' in now && now.version === version) return true;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    text = t.goneThere;
  }
  return confirm({ title: t.changedTitle, text: <p>{text}</p>, action: t.replaceIt, danger: true });
}
