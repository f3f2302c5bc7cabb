// What has been changed and is not saved yet.
import type { InstanceRow } from '../../api/types';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog, show } from '../../components/dialog';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-settings';
import { commandFor } from './commands';
import { Changes } from './conflict';
import type { Draft } from './draft';
import { placeName } from './settings';

export function SaveBar({ draft, row, label }: { draft: Draft; row: InstanceRow; label: string }) {
  const t = words.value;
  const changes = draft.changes.value;
  // A conflict has its own choices.
  if (draft.meanwhile.value.length > 0 || (changes.length === 0 && !draft.wrong.value)) return null;
  const names = changes.map(({ place }) => placeName(place));
  const told = names.length > 3 ? `${names.slice(0, 3).join(', ')}…` : names.join(', ');
  const showChanges = () =>
    show((close) => (
      <Dialog wide title={t.changed(changes.length)} close={close}>
        <Changes changes={changes} />
      </Dialog>
    ));
  return (
    <section class="bulk" aria-label={t.changed(changes.length)}>
      <div class="grow">
        <strong role="status">{t.changed(changes.length)}</strong>
        <div class="quiet small">{told}</div>
      </div>
      <Button kind="plain" icon="list" label={t.showChanges} onClick={showChanges} />
      <CopyButton text={commandFor(row, changes)} label={common.value.copyCommand} />
      <Button onClick={() => draft.discard()}>{t.discard}</Button>
      <Button
        kind="primary"
        icon="save"
        busy={draft.busy.value}
        disabled={draft.busy.value || draft.wrong.value !== ''}
        onClick={() => void draft.save(label)}
      >
        {common.value.save}
      </Button>
    </section>
  );
}
