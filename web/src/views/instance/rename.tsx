// Gives an instance another name.
import { useSignal } from '@preact/signals';
import { ask, instancePath } from '../../api/client';
import type { InstanceRow, JobView, Problem } from '../../api/types';
import { command, nameOf } from '../../app/commands';
import { begin } from '../../app/jobs';
import { go, to } from '../../app/router';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog } from '../../components/dialog';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance';
import { accepted } from './accepted';
import { Text } from './fields';

export function Rename({ row, close }: { row: InstanceRow; close: () => void }) {
  const t = words.value;
  const name = useSignal(row.name);
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const ready = name.value !== '' && name.value !== row.name && !busy.value;
  const rename = async () => {
    if (!ready) return;
    const wanted = name.value;
    const job = await accepted(problem, busy, ask<JobView>('POST', instancePath(row), { body: { name: wanted } }));
    if (!job) return;
    close();
    const ended = await begin(t.renamedTo(row.name, wanted), Promise.resolve(job));
    // Whoever still looks at it sees it under its new name.
    const here = to('instances', row.cloud, row.project, row.name);
    if (ended?.status === 'done' && (location.pathname === here || location.pathname.startsWith(`${here}/`))) {
      go(to('instances', row.cloud, row.project, wanted), true);
    }
  };
  return (
    <Dialog
      title={t.renameWhat(row.name)}
      close={close}
      submit={() => void rename()}
      actions={
        <>
          <CopyButton text={command(row.project, 'rename', nameOf(row), name.value || 'NAME')}>
            {common.value.copyCommand}
          </CopyButton>
          <span class="grow" />
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" busy={busy.value} disabled={!ready}>
            {t.rename}
          </Button>
        </>
      }
    >
      <Text label={t.newName} value={name} focus />
      {problem.value && <Failure problem={problem.value} />}
    </Dialog>
  );
}
