// The snapshots: made, gone back to, copied, renamed, deleted.
import { ask, instancePath } from '../../api/client';
import type { InstanceRow, JobView, Snapshot } from '../../api/types';
import { body } from '../../app/actions';
import { command, nameOf } from '../../app/commands';
import { begin } from '../../app/jobs';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { confirm, show } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { Menu } from '../../components/menu';
import { Empty, Loading } from '../../components/states';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/instance-snapshots';
import { NewSnapshot, RenameSnapshot, RestoreSnapshot } from './snapshot-dialogs';
import type { Source } from './source';
import { isOld } from './stale';
import { Transfer } from './transfer';

export function Snapshots({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const instance = source.instance.value;
  const mayEdit = may('edit', row.cloud, row.project);
  const noEdit = mayEdit ? undefined : common.value.mayNot('edit');
  const create = () => show((close) => <NewSnapshot source={source} row={row} close={close} />);
  const all = (instance?.snapshots ?? []).toSorted((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''));
  if (!instance) {
    if (!source.whole.value && !source.problem.value) return <Loading />;
    return <Empty icon="wifi-off" title={t.unknown} />;
  }
  // Not every storage tells how large they are.
  const hasSizes = all.some((snapshot) => sizeOf(snapshot) > 0);
  const button = (
    <Button icon="camera" kind="primary" disabled={!mayEdit} title={noEdit} onClick={create}>
      {t.create}
    </Button>
  );
  if (all.length === 0) {
    return (
      <Empty icon="camera" title={t.none}>
        <p>{t.what}</p>
        {button}
      </Empty>
    );
  }
  return (
    <div class={isOld(source) ? 'stack dim' : 'stack'}>
      <div class="heading">
        <h2>{t.title(all.length)}</h2>
        {button}
      </div>
      <div class="table-scroll">
        <table class="table stacked">
          <caption class="sr-only">{t.title(all.length)}</caption>
          <thead>
            <tr>
              <th scope="col">{common.value.name}</th>
              <th scope="col">{common.value.created}</th>
              <th scope="col">{t.expires}</th>
              <th scope="col">{t.stateful}</th>
              {hasSizes && (
                <th scope="col" class="number">
                  {common.value.size}
                </th>
              )}
              <th scope="col">
                <span class="sr-only">{common.value.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((snapshot) => (
              <Row
                key={snapshot.name}
                source={source}
                row={row}
                snapshot={snapshot}
                noEdit={noEdit}
                hasSizes={hasSizes}
              />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function sizeOf({ size = 0 }: Snapshot): number {
  return size;
}

type RowProps = { source: Source; row: InstanceRow; snapshot: Snapshot; noEdit?: string; hasSizes: boolean };

function Row({ source, row, snapshot, noEdit, hasSizes }: RowProps) {
  const t = words.value;
  const { name, size } = snapshot;
  const choice = (label: string, icon: string, run: () => void, danger = false) => ({
    label,
    icon,
    run,
    danger,
    disabled: noEdit !== undefined,
    hint: noEdit,
  });
  return (
    <tr>
      <th scope="row" class="mono">
        {name}
      </th>
      <td data-label={common.value.created}>
        <Time at={snapshot.created_at} />
      </td>
      <td data-label={t.expires}>
        <Time at={snapshot.expires_at} otherwise={t.neverExpires} />
      </td>
      <td data-label={t.stateful}>
        {snapshot.stateful ? (
          <span class="chip">
            <Icon name="check" />
            {common.value.yes}
          </span>
        ) : (
          <span class="quiet">{common.value.no}</span>
        )}
      </td>
      {hasSizes && (
        <td class="number" data-label={common.value.size}>
          {sizeOf(snapshot) > 0 ? bytes(size) : ''}
        </td>
      )}
      <td class="actions">
        <Menu
          kind="plain"
          icon="ellipsis"
          label={`${common.value.actions}: ${name}`}
          choices={[
            choice(t.restore, 'undo-2', () =>
              show((close) => <RestoreSnapshot source={source} row={row} snapshot={snapshot} close={close} />),
            ),
            choice(t.copyOut, 'copy', () =>
              show((close) => <Transfer row={row} action="copy" snapshot={name} close={close} />),
            ),
            choice(t.rename, 'pencil', () =>
              show((close) => <RenameSnapshot source={source} row={row} name={name} close={close} />),
            ),
            choice(common.value.delete, 'trash-2', () => void remove(source, row, name), true),
          ]}
        />
      </td>
    </tr>
  );
}

async function remove(source: Source, row: InstanceRow, name: string): Promise<void> {
  const t = words.value;
  const sure = await confirm({
    title: t.deleteWhat(name),
    text: (
      <>
        <p>{t.deleteHint}</p>
        <pre class="code">{command(row.project, 'delete', nameOf(row, name))}</pre>
      </>
    ),
    action: common.value.delete,
    danger: true,
  });
  if (!sure) return;
  await begin(t.deleted(name), body(ask<JobView>('DELETE', instancePath(row, 'snapshots', name))));
  await source.load();
}
