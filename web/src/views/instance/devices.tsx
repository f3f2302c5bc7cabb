// The devices: those of the instance, and those that its profiles give it.
import type { InstanceRow } from '../../api/types';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { confirm, show } from '../../components/dialog';
import { type Choice, Menu } from '../../components/menu';
import { Empty, Failure, Loading } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance-devices';
import { commandFor } from './commands';
import { DeviceDialog } from './device-dialog';
import type { Source } from './source';
import { isOld } from './stale';

export type Device = Record<string, string>;

export function Devices({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const instance = source.instance.value;
  const mayEdit = may('edit', row.cloud, row.project);
  const noEdit = mayEdit ? undefined : common.value.mayNot('edit');
  if (!instance) {
    if (!source.whole.value && !source.problem.value) return <Loading />;
    return <Empty icon="wifi-off" title={t.unknown} />;
  }
  const own = instance.devices ?? {};
  const given = Object.entries(instance.expanded_devices ?? {}).filter(([name]) => !(name in own));
  const edit = (name: string, device: Device, isNew: boolean) =>
    show((close) => <DeviceDialog source={source} row={row} name={name} device={device} isNew={isNew} close={close} />);
  return (
    <div class={isOld(source) ? 'stack dim' : 'stack'}>
      <div class="heading">
        <h2>{t.own}</h2>
        <Button icon="plus" disabled={!mayEdit} title={noEdit} onClick={() => edit('', { type: 'disk' }, true)}>
          {t.add}
        </Button>
      </div>
      {source.draft.problem.value && <Failure problem={source.draft.problem.value} />}
      {Object.keys(own).length === 0 ? (
        <p class="quiet">{t.noneOwn}</p>
      ) : (
        <List
          title={t.own}
          devices={Object.entries(own)}
          choices={(name, device) => [
            {
              label: t.edit,
              icon: 'pencil',
              disabled: !mayEdit,
              hint: noEdit,
              run: () => edit(name, device, false),
            },
            {
              label: t.remove,
              icon: 'trash-2',
              danger: true,
              disabled: !mayEdit,
              hint: noEdit,
              run: () => void remove(source, row, name),
            },
          ]}
        />
      )}
      <h2>{t.given}</h2>
      {given.length === 0 ? (
        <p class="quiet">{t.noneGiven}</p>
      ) : (
        <List
          title={t.given}
          devices={given}
          choices={(name, device) => [
            {
              label: t.override,
              icon: 'pencil',
              disabled: !mayEdit,
              hint: noEdit ?? t.overrideHint,
              run: () => edit(name, device, true),
            },
          ]}
        />
      )}
    </div>
  );
}

type ListProps = {
  title: string;
  devices: [string, Device][];
  choices: (name: string, device: Device) => Choice[];
};

function List({ title, devices, choices }: ListProps) {
  const t = words.value;
  return (
    <div class="table-scroll">
      <table class="table stacked">
        <caption class="sr-only">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{common.value.name}</th>
            <th scope="col">{common.value.type}</th>
            <th scope="col">{t.settings}</th>
            <th scope="col">
              <span class="sr-only">{common.value.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map(([name, device]) => (
            <tr key={name}>
              <th scope="row" class="mono">
                {name}
              </th>
              <td>{t.types[device.type as keyof typeof t.types] ?? device.type}</td>
              <td class="mono small">
                {Object.entries(device)
                  .filter(([key]) => key !== 'type')
                  .map(([key, value]) => (
                    <div key={key}>
                      <span class="quiet">{key}:</span> {value}
                    </div>
                  ))}
              </td>
              <td class="actions">
                <Menu
                  kind="plain"
                  icon="ellipsis"
                  label={`${common.value.actions}: ${name}`}
                  choices={choices(name, device)}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Takes a device off, whatever else is changed meanwhile. */
async function remove(source: Source, row: InstanceRow, name: string): Promise<void> {
  const t = words.value;
  const draft = source.newDraft();
  draft.discard();
  draft.change(({ devices }) => {
    delete devices[name];
  });
  const told = commandFor(row, draft.changes.value);
  const sure = await confirm({
    title: t.removeWhat(name),
    text: (
      <>
        <p>{t.removeHint}</p>
        <pre class="code">{told}</pre>
      </>
    ),
    action: t.remove,
    danger: true,
  });
  if (!sure) return;
  await draft.save(t.removed(name));
  // Somebody else has changed something else: this is still what the user wants.
  if (draft.meanwhile.value.length > 0) {
    draft.rebase();
    await draft.save(t.removed(name));
  }
  source.draft.problem.value = draft.problem.value;
}
