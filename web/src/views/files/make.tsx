// New folders and files, and what is deleted.
import { useSignal } from '@preact/signals';
import { ask } from '../../api/client';
import type { FileView, InstanceKey, JobView } from '../../api/types';
import { body } from '../../app/actions';
import { begin } from '../../app/jobs';
import { Button } from '../../components/button';
import { confirm, Dialog, show } from '../../components/dialog';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import { isName, join, shown } from './paths';
import { addressOf, WAIT } from './requests';

type Kind = 'folder' | 'file';

/** Asks for a name, and makes it. `made` gets the path. */
export function make(key: InstanceKey, folder: string, kind: Kind, made: (path: string) => void): void {
  show((close) => <New folder={folder} kind={kind} close={close} make={(path) => void create(path)} />);
  async function create(path: string) {
    const request = ask<JobView>('POST', addressOf(key, path), { body: { kind }, wait: WAIT });
    const job = await begin(words.value.made(shown(path)), body(request));
    if (job?.status === 'done') made(path);
  }
}

function New({
  folder,
  kind,
  close,
  make,
}: {
  folder: string;
  kind: Kind;
  close: () => void;
  make: (path: string) => void;
}) {
  const t = words.value;
  const name = useSignal('');
  const isGood = isName(name.value);
  const send = () => {
    if (!isGood) return;
    close();
    make(join(folder, name.value));
  };
  return (
    <Dialog
      title={kind === 'folder' ? t.newFolder : t.newFile}
      close={close}
      submit={send}
      actions={
        <>
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" disabled={!isGood}>
            {t.create}
          </Button>
        </>
      }
    >
      <label class="field">
        <span class="label">{t.nameIn(shown(folder))}</span>
        <input
          class="input mono"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={name.value}
          aria-invalid={name.value !== '' && !isGood}
          onInput={(event) => {
            name.value = event.currentTarget.value;
          }}
        />
        {name.value !== '' && !isGood && <span class="error">{t.noName}</span>}
      </label>
    </Dialog>
  );
}

/** Deletes what is in a folder, folders with all that is in them, once the user is sure. */
export async function remove(key: InstanceKey, folder: string, entries: FileView[]): Promise<boolean> {
  const t = words.value;
  const some = entries.length > 8 ? entries.slice(0, 8) : entries;
  const hasFolder = entries.some(({ kind }) => kind === 'folder');
  const sure = await confirm({
    title: t.deleteTitle(entries.length),
    text: (
      <>
        <ul class="mono">
          {some.map(({ name, kind }) => (
            <li key={name}>
              <bdi>
                {shown(join(folder, name))}
                {kind === 'folder' ? '/' : ''}
              </bdi>
            </li>
          ))}
          {some.length < entries.length && <li>… +{entries.length - some.length}</li>}
        </ul>
        {hasFolder && <p>{t.withAll}</p>}
        <p class="quiet">{t.forGood}</p>
      </>
    ),
    action: common.value.delete,
    danger: true,
  });
  if (!sure) return false;
  const jobs = entries.map(({ name, kind }) => {
    const path = join(folder, name);
    const query: Record<string, boolean> = kind === 'folder' ? { recursive: true } : {};
    const request = ask<JobView>('DELETE', addressOf(key, path, query), { wait: WAIT });
    return begin(t.deleted(shown(path)), body(request));
  });
  const ended = await Promise.all(jobs);
  return ended.every((job) => job?.status === 'done');
}
