// The files of an instance.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { asProblem } from '../../api/client';
import type { FileView, Folder, InstanceRow, Problem } from '../../api/types';
import { go, place } from '../../app/router';
import { idOf, may } from '../../app/store';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Empty, Failure, Loading } from '../../components/states';
import { fail } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import { count } from '../../i18n/format';
import { Bar, Crumbs } from './bar';
import { settle } from './conflicts';
import { download } from './download';
import { edit } from './editor';
import { fromDrop, type Given, hasFiles } from './gather';
import { type Acts, List } from './list';
import { make, remove } from './make';
import { move } from './move';
import { hidden, ordered } from './order';
import { join, shown } from './paths';
import { upload, written } from './queue';
import { EDITABLE, list, look } from './requests';
import { Uploads } from './uploads';

/** How long after an upload the folder is looked at again, in milliseconds: the next one may end soon. */
const SOON = 400;

export function FilesTab({ row }: { row: InstanceRow }) {
  const t = words.value;
  if (!may('files', row.cloud, row.project)) {
    return (
      <Empty icon="shield" title={t.mayNot}>
        <p>{t.mayNotWhy(row.cloud, row.project)}</p>
      </Empty>
    );
  }
  return <Browser key={idOf(row)} row={row} />;
}

/** The folder at a path, which is looked at again when something was written. */
function useFolder(row: InstanceRow, path: string) {
  const folder = useSignal<Folder | null>(null);
  const problem = useSignal<Problem | null>(null);
  const isBusy = useSignal(true);
  const turn = useRef(0);
  const load = async () => {
    const mine = ++turn.current;
    isBusy.value = true;
    try {
      const found = await list(row, path);
      if (mine !== turn.current) return;
      folder.value = found;
      problem.value = null;
    } catch (error) {
      if (mine !== turn.current) return;
      problem.value = asProblem(error);
    }
    isBusy.value = false;
  };
  useEffect(() => {
    folder.value = null;
    problem.value = null;
    void load();
    return () => void turn.current++;
  }, [path]);
  useEffect(() => {
    if (written.value === 0) return;
    const timer = setTimeout(load, SOON);
    return () => clearTimeout(timer);
  }, [written.value]);
  return { folder, problem, isBusy, load };
}

function Browser({ row }: { row: InstanceRow }) {
  const t = words.value;
  const key = { cloud: row.cloud, project: row.project, name: row.name };
  const path = place.value.query.get('path') || '/';
  const { folder, problem, isBusy, load } = useFolder(row, path);
  const text = useSignal('');
  const picked = useSignal<ReadonlySet<string>>(new Set());
  const isOver = useSignal(false);
  const here = folder.value?.path ?? path;
  const entries = folder.value?.entries ?? [];
  const rows = useComputed(() => ordered(folder.value?.entries ?? [], text.value)).value;
  useEffect(() => {
    text.value = '';
    picked.value = new Set();
  }, [path]);

  const give = async (given: Given | Promise<Given>) => {
    try {
      const settled = await settle(key, here, await given);
      if (settled) upload(key, here, settled);
    } catch (error) {
      fail(t.notUploaded, asProblem(error));
    }
  };
  const acts: Acts = {
    open: (entry) => void open(entry),
    edit: (at) => edit(key, at, () => void load()),
    move: (at) => move(key, at, () => void load()),
    remove: async (those) => {
      await remove(key, here, those);
      picked.value = new Set();
      void load();
    },
  };
  /** A link may lead anywhere: what is there says what is done. */
  const open = async ({ name, kind, size }: FileView) => {
    const at = join(here, name);
    if (kind === 'file') return (size ?? 0) > EDITABLE ? void download(key, at) : acts.edit(at);
    try {
      const found = await look(key, at);
      if ('folder' in found) go(`${location.pathname}?path=${encodeURIComponent(at)}`);
      else if (found.size > EDITABLE) void download(key, at);
      else acts.edit(at);
    } catch (error) {
      fail(shown(name), asProblem(error));
    }
  };
  const over = (event: DragEvent) => {
    if (!event.dataTransfer || !hasFiles(event.dataTransfer) || !folder.value) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    isOver.value = true;
  };
  const chosen = entries.filter(({ name }) => picked.value.has(name));
  const inHiding = hidden.value ? 0 : entries.filter(({ name }) => name.startsWith('.')).length;

  return (
    <section
      class={isOver.value ? 'stack browser over' : 'stack browser'}
      aria-label={t.title(row.name)}
      aria-busy={isBusy.value}
      onDragEnter={over}
      onDragOver={over}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) isOver.value = false;
      }}
      onDrop={(event) => {
        isOver.value = false;
        if (!event.dataTransfer || !hasFiles(event.dataTransfer) || !folder.value) return;
        event.preventDefault();
        void give(fromDrop(event.dataTransfer));
      }}
    >
      <Crumbs path={here} />
      <Bar
        text={text}
        isBusy={isBusy.value}
        isThere={folder.value !== null}
        give={(given) => void give(given)}
        make={(kind) =>
          make(key, here, kind, (at) => {
            void load();
            if (kind === 'file') acts.edit(at);
          })
        }
        download={() => void download(key, here, true)}
        reload={() => void load()}
      />
      <Uploads of={key} />
      {problem.value && <Failure problem={problem.value} retry={() => void load()} />}
      {!folder.value && !problem.value && <Loading />}
      {folder.value && rows.length > 0 && (
        <List
          of={key}
          folder={here}
          entries={rows}
          picked={picked.value}
          pick={(names) => {
            picked.value = names;
          }}
          acts={acts}
        />
      )}
      {folder.value && rows.length === 0 && (
        <Empty icon="folder" title={entries.length === 0 ? t.empty : text.value ? t.noMatch : t.onlyHidden}>
          <p>{t.dropHint}</p>
        </Empty>
      )}
      {folder.value && (
        <p class="quiet small" role="status">
          {t.shown(count(rows.length), count(folder.value.total))}
          {inHiding > 0 && ` ${t.inHiding(count(inHiding))}`}
          {folder.value.total > entries.length && ` ${t.cut(count(entries.length))}`}
        </p>
      )}
      {chosen.length > 0 && (
        <div class="bulk" role="toolbar" aria-label={common.value.actions}>
          <span class="grow">{t.picked(chosen.length)}</span>
          <Button icon="trash-2" kind="danger" onClick={() => acts.remove(chosen)}>
            {common.value.delete}
          </Button>
          <Button
            onClick={() => {
              picked.value = new Set();
            }}
          >
            {t.clear}
          </Button>
        </div>
      )}
      {isOver.value && (
        <p class="drop" role="status">
          <Icon name="upload" /> {t.drop(shown(here))}
        </p>
      )}
    </section>
  );
}
