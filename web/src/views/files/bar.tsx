// Where one is, and what can be done there.
import type { Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Menu } from '../../components/menu';
import { SearchField } from '../../components/search-field';
import { words } from '../../i18n/files';
import { fromInput, type Given } from './gather';
import { hidden } from './order';
import { crumbs, shown } from './paths';

export function Crumbs({ path }: { path: string }) {
  const t = words.value;
  const all = crumbs(path);
  const at = (folder: string) => `?path=${encodeURIComponent(folder)}`;
  return (
    <nav class="crumbs" aria-label={t.where}>
      <a href={at('/')} aria-label={t.root} aria-current={all.length === 0 ? 'page' : undefined}>
        <Icon name="hard-drive" />
      </a>
      {all.map(({ name, path: folder }, index) => (
        <span key={folder} class="crumb">
          <span class="quiet" aria-hidden="true">
            /
          </span>
          <a href={at(folder)} aria-current={index === all.length - 1 ? 'page' : undefined}>
            <bdi>{shown(name)}</bdi>
          </a>
        </span>
      ))}
    </nav>
  );
}

type Props = {
  text: Signal<string>;
  isBusy: boolean;
  isThere: boolean;
  give: (given: Given) => void;
  make: (kind: 'folder' | 'file') => void;
  download: () => void;
  reload: () => void;
};

export function Bar({ text, isBusy, isThere, give, make, download, reload }: Props) {
  const t = words.value;
  return (
    <div class="row">
      <SearchField
        label={t.search}
        value={text.value}
        onChange={(typed) => {
          text.value = typed;
        }}
      />
      <Upload give={give} disabled={!isThere} />
      <Menu
        label={t.new}
        icon="plus"
        disabled={!isThere}
        choices={[
          { label: t.newFolder, icon: 'folder-plus', run: () => make('folder') },
          { label: t.newFile, icon: 'file-plus', run: () => make('file') },
        ]}
      >
        {t.new}
      </Menu>
      <Button
        kind="plain"
        icon="eye"
        label={t.hidden}
        aria-pressed={hidden.value}
        onClick={() => {
          hidden.value = !hidden.value;
        }}
      />
      <Button kind="plain" icon="download" label={t.downloadHere} disabled={!isThere} onClick={download} />
      <Button kind="plain" icon="refresh-cw" label={t.reload} busy={isBusy} onClick={reload} />
    </div>
  );
}

function Upload({ give, disabled }: { give: (given: Given) => void; disabled: boolean }) {
  const t = words.value;
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = ({ currentTarget: input }: { currentTarget: HTMLInputElement }) => {
    if (input.files?.length) give(fromInput(input.files));
    input.value = '';
  };
  return (
    <>
      <input ref={files} type="file" multiple hidden onChange={take} aria-label={t.uploadFiles} />
      <input
        ref={folder}
        type="file"
        // @ts-expect-error: all browsers have it, and the types of Preact do not
        webkitdirectory
        hidden
        onChange={take}
        aria-label={t.uploadFolder}
      />
      <Menu
        label={t.upload}
        icon="upload"
        disabled={disabled}
        choices={[
          { label: t.uploadFiles, icon: 'file', run: () => files.current?.click() },
          { label: t.uploadFolder, icon: 'folder-up', run: () => folder.current?.click() },
        ]}
      >
        {t.upload}
      </Menu>
    </>
  );
}
