// What is in a folder.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { FileView, InstanceKey } from '../../api/types';
import { command, nameOf as instanceName } from '../../app/commands';
import { Button } from '../../components/button';
import { copyText } from '../../components/copy';
import { Icon } from '../../components/icon';
import { type Choice, Menu } from '../../components/menu';
import { MoreRows } from '../../components/more-rows';
import { Time } from '../../components/time';
import { say } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import { bytes } from '../../i18n/format';
import { download } from './download';
import { type By, order, sortBy } from './order';
import { isAskable, join, permissions, shown } from './paths';
import { EDITABLE } from './requests';

/** How many rows are drawn at first, and how many more when the end comes into sight. */
const STEP = 200;

const COLUMNS: By[] = ['name', 'size', 'modified', 'mode', 'owner'];

const ICONS: Record<FileView['kind'], string> = {
  file: 'file',
  folder: 'folder',
  symlink: 'file-symlink',
  special: 'cpu',
};

export type Acts = {
  open(entry: FileView): void;
  edit(path: string): void;
  move(path: string): void;
  remove(entries: FileView[]): void;
};

type Props = {
  of: InstanceKey;
  folder: string;
  entries: FileView[];
  picked: ReadonlySet<string>;
  pick: (names: ReadonlySet<string>) => void;
  acts: Acts;
};

export function List({ of, folder, entries, picked, pick, acts }: Props) {
  const t = words.value;
  const limit = useSignal(STEP);
  useEffect(() => {
    limit.value = STEP;
  }, [folder]);
  const rows = entries.slice(0, limit.value);
  const allPicked = entries.length > 0 && entries.every(({ name }) => picked.has(name));
  const toggle = (name: string) => {
    const next = new Set(picked);
    if (!next.delete(name)) next.add(name);
    pick(next);
  };
  return (
    <div class="table-scroll">
      <table class="table files">
        <caption class="sr-only">{t.caption(shown(folder))}</caption>
        <thead>
          <tr>
            <th class="pick" scope="col">
              <input
                type="checkbox"
                aria-label={t.pickAll}
                checked={allPicked}
                onChange={() => pick(allPicked ? new Set() : new Set(entries.map(({ name }) => name)))}
              />
            </th>
            {COLUMNS.map((by) => (
              <Header key={by} by={by} />
            ))}
            <th scope="col">
              <span class="sr-only">{common.value.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((entry) => (
            <Row
              key={entry.name}
              of={of}
              folder={folder}
              entry={entry}
              picked={picked.has(entry.name)}
              toggle={toggle}
              acts={acts}
            />
          ))}
        </tbody>
      </table>
      {rows.length < entries.length && <MoreRows more={() => (limit.value += STEP)} />}
    </div>
  );
}

function Header({ by }: { by: By }) {
  const t = words.value;
  const isOrder = order.value.by === by;
  const { descending } = order.value;
  const sort = isOrder ? (descending ? 'descending' : 'ascending') : undefined;
  return (
    <th
      scope="col"
      aria-sort={sort}
      class={{ name: undefined, size: 'number', modified: 'modified', mode: 'mode', owner: 'number owner' }[by]}
    >
      <button type="button" class="sort" title={t.sortBy(t.columns[by])} onClick={() => sortBy(by)}>
        {t.columns[by]}
        {isOrder && <Icon name={descending ? 'arrow-down' : 'arrow-up'} />}
      </button>
    </th>
  );
}

type RowProps = {
  of: InstanceKey;
  folder: string;
  entry: FileView;
  picked: boolean;
  toggle: (name: string) => void;
  acts: Acts;
};

function Row({ of, folder, entry, picked, toggle, acts }: RowProps) {
  const t = words.value;
  const { name, kind, size, mode, uid, gid, modified, target } = entry;
  const path = join(folder, name);
  const isOpenable = kind !== 'special' && isAskable(name);
  const label = (
    <>
      <Icon name={ICONS[kind]} />
      <bdi>{shown(name)}</bdi>
    </>
  );
  return (
    <tr>
      <td class="pick">
        <input
          type="checkbox"
          aria-label={t.pick(shown(name))}
          checked={picked}
          disabled={!isAskable(name)}
          onChange={() => toggle(name)}
        />
      </td>
      <th class="name-cell" scope="row">
        {!isOpenable ? (
          <span class="name" title={isAskable(name) ? t.special : t.noText}>
            {label}
          </span>
        ) : kind === 'folder' ? (
          <a class="name" href={`?path=${encodeURIComponent(path)}`}>
            {label}
          </a>
        ) : (
          <button type="button" class="name" onClick={() => acts.open(entry)}>
            {label}
          </button>
        )}
        {target && (
          <span class="quiet small target">
            → <bdi>{shown(target)}</bdi>
          </span>
        )}
      </th>
      <td class="number">{kind === 'file' ? bytes(size) : ''}</td>
      <td class="modified">
        <Time at={modified} />
      </td>
      <td class="mode mono" title={mode}>
        {permissions(mode)}
      </td>
      <td class="owner number">
        {uid}:{gid}
      </td>
      <td class="actions">
        {kind === 'special' || !isAskable(name) ? null : (
          <Button
            kind="plain"
            icon="download"
            label={kind === 'folder' ? t.downloadTar(shown(name)) : t.downloadOne(shown(name))}
            onClick={() => void download(of, path, kind === 'folder')}
          />
        )}
        <Menu
          kind="plain"
          icon="ellipsis"
          label={`${common.value.actions}: ${shown(name)}`}
          disabled={!isAskable(name)}
          choices={choices(of, path, entry, acts)}
        />
      </td>
    </tr>
  );
}

function choices(of: InstanceKey, path: string, entry: FileView, acts: Acts): Choice[] {
  const t = words.value;
  const { kind, size } = entry;
  const place = `${instanceName(of)}${path}`;
  const copy = async (text: string) => say((await copyText(text)) ? common.value.copied : common.value.notCopied);
  const pull = command(of.project, 'file', 'pull', ...(kind === 'folder' ? ['-r'] : []), place, '.');
  const all: Choice[] = [];
  if (kind === 'file' || kind === 'symlink') {
    const isLarge = (size ?? 0) > EDITABLE;
    const hint = isLarge ? t.large(bytes(EDITABLE)) : undefined;
    all.push({ label: t.edit, icon: 'pencil', disabled: isLarge, hint, run: () => acts.edit(path) });
  }
  if (kind !== 'special') {
    all.push({ label: common.value.copyCommand, icon: 'square-terminal', run: () => void copy(pull) });
  }
  all.push(
    { label: t.move, icon: 'folder-symlink', run: () => acts.move(path) },
    { label: t.copyPath, icon: 'copy', run: () => void copy(path) },
    { label: common.value.delete, icon: 'trash-2', danger: true, run: () => acts.remove([entry]) },
  );
  return all;
}
