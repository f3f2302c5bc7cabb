// Which instance it is, how it is, and what can be done with it as a whole.
import type { InstanceRow } from '../../api/types';
import { ACTION_ICONS, actionsFor, changeState, remove } from '../../app/actions';
import { command, nameOf } from '../../app/commands';
import { go, to } from '../../app/router';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { copyText } from '../../components/copy';
import { show } from '../../components/dialog';
import { type Choice, Menu } from '../../components/menu';
import { Status } from '../../components/status';
import { say } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instance';
import { Rename } from './rename';
import type { Source } from './source';
import { isOld } from './stale';
import { Transfer } from './transfer';

/** How `kolaboree-node lxd` calls what changes a state. */
const COMMANDS = { start: 'start', stop: 'stop', restart: 'restart', freeze: 'pause', unfreeze: 'start' } as const;

export function Header({ source, row }: { source: Source; row: InstanceRow }) {
  const t = words.value;
  const status = source.instance.value?.status ?? row.status;
  const shown = isOld(source) ? row.status : (source.row.value?.status ?? status);
  return (
    <header class={isOld(source) ? 'heading dim' : 'heading'}>
      <div class="grow">
        <nav class="quiet small" aria-label={t.place}>
          <a href={`/instances?cloud=${encodeURIComponent(row.cloud)}`}>{row.cloud}</a>
          {' / '}
          <a href={`/instances?cloud=${encodeURIComponent(row.cloud)}&project=${encodeURIComponent(row.project)}`}>
            {row.project}
          </a>
        </nav>
        <div class="row">
          <h1>{row.name}</h1>
          <span role="status">
            <Status status={shown} />
          </span>
        </div>
        {row.description && <p class="quiet">{row.description}</p>}
      </div>
      <Actions row={row} status={shown} />
    </header>
  );
}

function Actions({ row, status }: { row: InstanceRow; status: string }) {
  const t = words.value;
  const names = common.value.actionNames;
  const mayOperate = may('operate', row.cloud, row.project);
  const mayEdit = may('edit', row.cloud, row.project);
  const noOperate = mayOperate ? undefined : common.value.mayNot('operate');
  const noEdit = mayEdit ? undefined : common.value.mayNot('edit');
  const actions = actionsFor(status);
  const name = nameOf(row);
  const forced = (['stop', 'restart'] as const).filter((action) => actions.includes(action));
  const choices: Choice[] = [
    ...forced.map((action) => ({
      label: t.forced[action],
      icon: ACTION_ICONS[action],
      disabled: !mayOperate,
      hint: noOperate,
      run: () => void changeState([row], action, true),
    })),
    {
      label: t.rename,
      icon: 'pencil',
      disabled: !mayEdit || status !== 'Stopped',
      hint: noEdit ?? (status === 'Stopped' ? undefined : t.onlyStopped),
      run: () => show((close) => <Rename row={row} close={close} />),
    },
    {
      label: t.copyTo,
      icon: 'copy',
      disabled: !mayEdit,
      hint: noEdit,
      run: () => show((close) => <Transfer row={row} action="copy" close={close} />),
    },
    {
      label: t.moveTo,
      icon: 'external-link',
      disabled: !mayEdit,
      hint: noEdit,
      run: () => show((close) => <Transfer row={row} action="move" close={close} />),
    },
    {
      label: common.value.delete,
      icon: 'trash-2',
      danger: true,
      disabled: !mayEdit,
      hint: noEdit,
      run: () => void remove([row]).then((done) => done && go(to('instances'))),
    },
  ];
  const told: [string, string][] = [
    ...actions.map((action): [string, string] => [names[action], command(row.project, COMMANDS[action], name)]),
    ...forced.map((action): [string, string] => [
      t.forced[action],
      command(row.project, COMMANDS[action], name, '--force'),
    ]),
    [common.value.delete, command(row.project, 'delete', name, ...(status === 'Stopped' ? [] : ['--force']))],
    [t.shell, command(row.project, 'shell', name)],
    [t.tabs.console, command(row.project, 'console', name)],
    [t.facts, command(row.project, 'info', name)],
  ];
  return (
    <div class="row no-print">
      {actions.map((action, at) => (
        <Button
          key={action}
          kind={at === 0 && action === 'start' ? 'primary' : undefined}
          icon={ACTION_ICONS[action]}
          disabled={!mayOperate}
          title={noOperate}
          onClick={() => void changeState([row], action)}
        >
          {names[action]}
        </Button>
      ))}
      <Menu
        label={common.value.copyCommand}
        icon="clipboard"
        choices={told.map(([label, text]) => ({
          label,
          hint: text,
          run: () => void copyText(text).then((done) => say(done ? common.value.copied : common.value.notCopied)),
        }))}
      />
      <Menu label={`${common.value.actions}: ${row.name}`} icon="ellipsis" choices={choices} />
    </div>
  );
}
