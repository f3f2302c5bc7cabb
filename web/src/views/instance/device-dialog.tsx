// Adds a device, or changes one: its type, and its settings key by key.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { InstanceRow } from '../../api/types';
import { Button } from '../../components/button';
import { CopyButton } from '../../components/copy';
import { Dialog } from '../../components/dialog';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-devices';
import { commandFor } from './commands';
import { Conflict } from './conflict';
import { KNOWN, TYPES } from './device-types';
import type { Device } from './devices';
import { Select, Text } from './fields';
import type { Source } from './source';

type Props = {
  source: Source;
  row: InstanceRow;
  name: string;
  device: Device;
  /** Whether the instance has none of that name yet. */
  isNew: boolean;
  close: () => void;
};

/** Keys of a device with their values; those that a type needs are there from the start. */
function keysOf(device: Device): [string, string][] {
  const { type = '', ...rest } = device;
  const needed = (KNOWN[type]?.needed ?? []).filter((key) => !(key in rest));
  return [...Object.entries(rest), ...needed.map((key): [string, string] => [key, ''])];
}

export function DeviceDialog({ source, row, name: given, device, isNew, close }: Props) {
  const t = words.value;
  const draft = useMemo(() => {
    const made = source.newDraft();
    made.discard();
    return made;
  }, [source]);
  useSignalEffect(() => draft.follow());
  const name = useSignal(given);
  const type = useSignal(device.type ?? 'disk');
  const keys = useSignal(keysOf(device));
  // What is written goes into the draft, so that a conflict finds it there.
  useSignalEffect(() => {
    const wanted: Device = { type: type.value };
    for (const [key, value] of keys.value) if (key && value) wanted[key] = value;
    const base = draft.base.value;
    if (!base) return;
    const devices = { ...base.settings.devices };
    if (name.value) devices[name.value] = wanted;
    draft.mine.value = { ...base.settings, devices };
  });
  const isTaken = isNew && !given && Object.hasOwn(draft.base.value?.settings.devices ?? {}, name.value);
  const ready = name.value !== '' && !isTaken && !draft.busy.value && draft.changes.value.length > 0;
  const label = isNew ? t.added(name.value) : t.changed(name.value);
  const save = async () => {
    if (ready && draft.meanwhile.value.length === 0 && (await draft.save(label))) close();
  };
  const put = (at: number, entry: [string, string] | null) => {
    keys.value = keys.value.flatMap((one, index) => (index === at ? (entry ? [entry] : []) : [one]));
  };
  const choose = (chosen: string) => {
    type.value = chosen;
    const filled = keys.value.filter(([, value]) => value);
    keys.value = keysOf({ type: chosen, ...Object.fromEntries(filled) });
  };
  const suggestions = (KNOWN[type.value]?.keys ?? []).filter((key) => !keys.value.some(([one]) => one === key));
  const hints: Record<string, string> = t.typeHints;
  return (
    <Dialog
      wide
      title={isNew ? (given ? t.overrideWhat(given) : t.add) : t.editWhat(given)}
      close={close}
      submit={() => void save()}
      actions={
        <>
          <CopyButton text={commandFor(row, draft.changes.value)}>{common.value.copyCommand}</CopyButton>
          <span class="grow" />
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" icon="save" busy={draft.busy.value} disabled={!ready}>
            {common.value.save}
          </Button>
        </>
      }
    >
      {draft.changes.value.length > 0 && <Conflict draft={draft} label={label} saved={close} discard={close} />}
      {draft.problem.value && <Failure problem={draft.problem.value} />}
      {!given && (
        <div class="form-grid">
          <Text
            label={common.value.name}
            value={name}
            focus
            placeholder={KNOWN[type.value]?.example}
            hint={isTaken ? t.taken(name.value) : undefined}
          />
          <Select
            label={common.value.type}
            value={type.value}
            options={TYPES.map((value) => ({ value, label: t.types[value] }))}
            hint={hints[type.value]}
            change={choose}
          />
        </div>
      )}
      <fieldset class="stack keys">
        <legend>{t.settings}</legend>
        {keys.value.map(([key, value], at) => (
          <div key={at} class="key-line">
            <input
              class="input mono"
              aria-label={t.keyNumber(at + 1)}
              autocomplete="off"
              spellcheck={false}
              list="device-keys"
              value={key}
              onInput={(event) => put(at, [event.currentTarget.value, value])}
            />
            <input
              class="input mono"
              aria-label={t.valueOf(key)}
              autocomplete="off"
              spellcheck={false}
              placeholder={KNOWN[type.value]?.examples?.[key]}
              value={value}
              onInput={(event) => put(at, [key, event.currentTarget.value])}
            />
            <Button kind="plain" icon="x" label={t.removeKey(key)} onClick={() => put(at, null)} />
          </div>
        ))}
        <datalist id="device-keys">
          {suggestions.map((key) => (
            <option key={key} value={key} />
          ))}
        </datalist>
        <div>
          <Button
            icon="plus"
            onClick={() => {
              keys.value = [...keys.value, ['', '']];
            }}
          >
            {t.addKey}
          </Button>
        </div>
      </fieldset>
    </Dialog>
  );
}
