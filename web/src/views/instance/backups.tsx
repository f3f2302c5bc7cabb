// The backups that the server keeps of the instance: made, fetched as a file, deleted; and a file made an instance again.
import { ask, instancePath } from '../../api/client';
import type { InstanceRow, JobView } from '../../api/types';
import { body } from '../../app/actions';
import { command, nameOf } from '../../app/commands';
import { begin } from '../../app/jobs';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { confirm, show } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { Empty, Loading } from '../../components/states';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-backups';
import { ImportBackup, NewBackup } from './backup-dialogs';
import type { Source } from './source';
import { isOld } from './stale';

type Backup = { name: string; created_at?: string; expires_at?: string };

export function Backups({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const instance = source.instance.value;
  const mayEdit = may('edit', row.cloud, row.project);
  const noEdit = mayEdit ? undefined : common.value.mayNot('edit');
  if (!instance) {
    if (!source.whole.value && !source.problem.value) return <Loading />;
    return <Empty icon="wifi-off" title={t.unknown} />;
  }
  // Some servers tell the instance's name before it.
  const all = (instance.backups ?? []).map((one) => ({ ...one, name: one.name.split('/').pop() ?? one.name }));
  all.sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''));
  const buttons = (
    <div class="row">
      <Button
        icon="upload"
        disabled={!mayEdit}
        title={noEdit}
        onClick={() => show((close) => <ImportBackup row={row} close={close} />)}
      >
        {t.import}
      </Button>
      <Button
        icon="save"
        kind="primary"
        disabled={!mayEdit}
        title={noEdit}
        onClick={() => show((close) => <NewBackup source={source} row={row} close={close} />)}
      >
        {t.create}
      </Button>
    </div>
  );
  if (all.length === 0) {
    return (
      <Empty icon="save" title={t.none}>
        <p>{t.what}</p>
        {buttons}
      </Empty>
    );
  }
  return (
    <div class={isOld(source) ? 'stack dim' : 'stack'}>
      <div class="heading">
        <h2>{t.title(all.length)}</h2>
        {buttons}
      </div>
      <p class="quiet row">
        {t.what}{' '}
        <CopyButton text={command(row.project, 'export', nameOf(row), `${row.name}.tar.gz`)} label={t.fetchCommand} />
      </p>
      <div class="table-scroll">
        <table class="table stacked">
          <caption class="sr-only">{t.title(all.length)}</caption>
          <thead>
            <tr>
              <th scope="col">{common.value.name}</th>
              <th scope="col">{common.value.created}</th>
              <th scope="col">{t.expires}</th>
              <th scope="col">
                <span class="sr-only">{common.value.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((backup) => (
              <Row key={backup.name} source={source} row={row} backup={backup} noEdit={noEdit} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Row({ source, row, backup, noEdit }: { source: Source; row: InstanceRow; backup: Backup; noEdit?: string }) {
  const t = words.value;
  const { name } = backup;
  return (
    <tr>
      <th scope="row" class="mono">
        {name}
      </th>
      <td data-label={common.value.created}>
        <Time at={backup.created_at} />
      </td>
      <td data-label={t.expires}>
        <Time at={backup.expires_at} otherwise={t.neverExpires} />
      </td>
      <td class="actions">
        {!noEdit && (
          <a
            class="button plain"
            href={instancePath(row, 'backups', name, 'export')}
            download
            aria-label={t.download(name)}
            title={t.download(name)}
          >
            <Icon name="download" />
          </a>
        )}
        <Button
          kind="plain"
          icon="trash-2"
          label={t.deleteWhat(name)}
          disabled={noEdit !== undefined}
          title={noEdit ?? t.deleteWhat(name)}
          onClick={() => void remove(source, row, name)}
        />
      </td>
    </tr>
  );
}

async function remove(source: Source, row: InstanceRow, name: string): Promise<void> {
  const t = words.value;
  const sure = await confirm({
    title: t.deleteWhat(name),
    text: <p>{t.deleteHint}</p>,
    action: common.value.delete,
    danger: true,
  });
  if (!sure) return;
  await begin(t.deleted(name), body(ask<JobView>('DELETE', instancePath(row, 'backups', name))));
  await source.load();
}
