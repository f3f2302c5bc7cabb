// What can be done with an image: an instance of it, a copy elsewhere, and its end.
import { useSignal } from '@preact/signals';
import { ask } from '../../api/client';
import { type Image, imageName } from '../../api/things';
import type { CopyMode, JobView, NewImageCopy } from '../../api/types';
import { body } from '../../app/actions';
import { command } from '../../app/commands';
import { begin } from '../../app/jobs';
import { go, to } from '../../app/router';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { confirm, Dialog, show } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { Menu } from '../../components/menu';
import { inCloud, PlaceFields, placesFor, type Where } from '../../components/place';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { download } from './image-download';
import { imagePath } from './image-path';
import type { Placed } from './load';

/** The address at which an instance of it is made. */
function makeAddress({ cloud, project, thing }: Placed<Image>): string {
  return `/create?${new URLSearchParams({ cloud, project, image: thing.fingerprint })}`;
}

/** How commands name it. */
function nameOf({ cloud, thing }: Placed<Image>): string {
  return `${cloud}:${imageName(thing)}`;
}

/** Why the caller may not change it, if so. */
function refusal({ cloud, project }: Placed<Image>): string | undefined {
  return may('edit', cloud, project) ? undefined : common.value.mayNot('edit');
}

export function ImageActions({ row }: { row: Placed<Image> }) {
  const t = words.value;
  const why = refusal(row);
  const end = async () => {
    if (await remove(row)) go(to('images'));
  };
  return (
    <>
      {!why && (
        <a class="button primary" href={makeAddress(row)}>
          <Icon name="plus" />
          {t.make}
        </a>
      )}
      <Button icon="copy" disabled={Boolean(why)} title={why} onClick={() => showCopy(row)}>
        {t.copyTo}
      </Button>
      <Button icon="download" disabled={Boolean(why)} title={why} onClick={() => void download(row)}>
        {t.download}
      </Button>
      <Button icon="trash-2" kind="danger" disabled={Boolean(why)} title={why} onClick={() => void end()}>
        {common.value.delete}
      </Button>
    </>
  );
}

export function ImageMenu({ row }: { row: Placed<Image> }) {
  const t = words.value;
  const why = refusal(row);
  const known = { disabled: Boolean(why), hint: why };
  return (
    <Menu
      kind="plain"
      icon="ellipsis"
      label={`${common.value.actions}: ${imageName(row.thing)}`}
      choices={[
        { label: t.make, icon: 'plus', href: makeAddress(row), ...known },
        { label: t.copyTo, icon: 'copy', run: () => showCopy(row), ...known },
        { label: t.download, icon: 'download', run: () => void download(row), ...known },
        { label: common.value.delete, icon: 'trash-2', danger: true, run: () => void remove(row), ...known },
      ]}
    />
  );
}

async function remove(row: Placed<Image>): Promise<boolean> {
  const t = words.value;
  const name = imageName(row.thing);
  const wanted = await confirm({
    title: t.deleteImages(1),
    text: (
      <>
        <p class="mono">{`${row.cloud}/${row.project}/${name}`}</p>
        <p>{t.deleteStays}</p>
        <div>
          <CopyButton text={command(row.project, 'image', 'delete', nameOf(row))}>
            {common.value.copyCommand}
          </CopyButton>
        </div>
      </>
    ),
    action: common.value.delete,
    danger: true,
  });
  if (!wanted) return false;
  const job = await begin(t.deleted(name), body(ask<JobView>('DELETE', imagePath(row))));
  return job?.status === 'done';
}

function showCopy(row: Placed<Image>): void {
  show((close) => <CopyDialog row={row} close={close} />);
}

const MODES: CopyMode[] = ['auto', 'pull', 'push', 'relay'];

function CopyDialog({ row, close }: { row: Placed<Image>; close: () => void }) {
  const t = words.value;
  const other = placesFor('edit').find(({ cloud }) => cloud !== row.cloud)?.cloud ?? row.cloud;
  const where = useSignal<Where>(inCloud(other, row.project, 'edit'));
  const withAliases = useSignal(true);
  const mode = useSignal<CopyMode>('auto');
  const { cloud, project } = where.value;
  const between = cloud !== row.cloud;
  const here = !between && project === row.project;
  const name = imageName(row.thing);
  const send = () => {
    if (here || !project) return;
    close();
    const wanted: NewImageCopy = { cloud, project, copy_aliases: withAliases.value };
    if (between) wanted.mode = mode.value;
    const copy = ask<JobView>('POST', imagePath(row, 'copy'), { body: wanted });
    void begin(t.copied(name, `${cloud}/${project}`), body(copy));
  };
  const more = ['--target-project', project, ...(withAliases.value ? ['--copy-aliases'] : [])];
  const way = between && mode.value !== 'auto' ? ['--mode', mode.value] : [];
  return (
    <Dialog
      title={t.copyImage(name)}
      close={close}
      submit={send}
      actions={
        <>
          <CopyButton text={command(row.project, 'image', 'copy', nameOf(row), `${cloud}:`, ...more, ...way)}>
            {common.value.copyCommand}
          </CopyButton>
          <span class="grow" />
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button
            type="submit"
            kind="primary"
            icon="copy"
            disabled={here || !project}
            title={here ? t.copyHere : undefined}
          >
            {common.value.copy}
          </Button>
        </>
      }
    >
      <PlaceFields
        where={where.value}
        verb="edit"
        cloudLabel={t.toCloud}
        projectLabel={t.toProject}
        change={(next) => {
          where.value = next;
        }}
      />
      {here && (
        <p class="quiet small" role="status">
          {t.copyHere}
        </p>
      )}
      {(row.thing.aliases?.length ?? 0) > 0 && (
        <label class="check">
          <input
            type="checkbox"
            checked={withAliases.value}
            onChange={(event) => {
              withAliases.value = event.currentTarget.checked;
            }}
          />
          <span>
            {t.withAliases} <span class="quiet small">{t.withAliasesHint}</span>
          </span>
        </label>
      )}
      {between && (
        <label class="field">
          <span class="label">{t.way}</span>
          <select
            class="select"
            value={mode.value}
            onChange={(event) => {
              mode.value = event.currentTarget.value as CopyMode;
            }}
          >
            {MODES.map((one) => (
              <option key={one} value={one}>
                {t.ways[one]}
              </option>
            ))}
          </select>
        </label>
      )}
    </Dialog>
  );
}
