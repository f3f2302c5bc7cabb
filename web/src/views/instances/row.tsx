// A row of the list. It is drawn anew only when something of it has changed.
import { Component } from 'preact';
import type { Freshness, InstanceRow } from '../../api/types';
import { ACTION_ICONS, actionsFor, changeState, remove } from '../../app/actions';
import { to } from '../../app/router';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { type Choice, Menu } from '../../components/menu';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instances';
import { type ColumnId, columnOf } from './columns';
import { pick } from './selection';

export type RowProps = {
  row: InstanceRow;
  columns: ColumnId[];
  picked: boolean;
  freshness: Freshness | undefined;
  language: string;
};

const COMPARED: (keyof RowProps)[] = ['row', 'columns', 'picked', 'freshness', 'language'];

export class Row extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps) {
    return COMPARED.some((name) => next[name] !== this.props[name]);
  }

  override render({ row, columns, picked, freshness }: RowProps) {
    const t = words.value;
    const address = to('instances', row.cloud, row.project, row.name);
    const isOld = freshness !== undefined && freshness.state !== 'fresh';
    return (
      <tr class={isOld ? 'dim' : undefined} title={isOld ? (freshness.problem ?? undefined) : undefined}>
        <td class="pick">
          <input
            type="checkbox"
            aria-label={t.pick(row.name)}
            checked={picked}
            onChange={(event) => pick(row, event.currentTarget.checked)}
          />
        </td>
        <th class="name-cell" scope="row">
          <a href={address}>{row.name}</a>
        </th>
        {columns.map((id) => {
          const { number, cell } = columnOf(id);
          return (
            <td key={id} class={number ? 'number' : undefined} data-label={t.columns[id]}>
              {cell(row)}
            </td>
          );
        })}
        <td class="actions">
          <RowActions row={row} address={address} />
        </td>
      </tr>
    );
  }
}

function RowActions({ row, address }: { row: InstanceRow; address: string }) {
  const t = words.value;
  const names = common.value.actionNames;
  const [first, ...others] = actionsFor(row.status);
  const mayOperate = may('operate', row.cloud, row.project);
  const choices: Choice[] = [
    ...others.map((action) => ({
      label: names[action],
      icon: ACTION_ICONS[action],
      disabled: !mayOperate,
      run: () => void changeState([row], action),
    })),
    { label: t.open, icon: 'box', href: address },
    {
      label: t.shell,
      icon: 'square-terminal',
      disabled: row.status !== 'Running' || !may('exec', row.cloud, row.project),
      href: `${address}/terminal`,
    },
    { label: t.files, icon: 'folder', disabled: !may('files', row.cloud, row.project), href: `${address}/files` },
    {
      label: common.value.delete,
      icon: 'trash-2',
      danger: true,
      disabled: !may('edit', row.cloud, row.project),
      run: () => void remove([row]),
    },
  ];
  return (
    <>
      {first && (
        <Button
          kind="plain"
          icon={ACTION_ICONS[first]}
          label={`${names[first]} ${row.name}`}
          disabled={!mayOperate}
          onClick={() => void changeState([row], first)}
        />
      )}
      <Menu kind="plain" icon="ellipsis" label={`${common.value.actions}: ${row.name}`} choices={choices} />
    </>
  );
}
