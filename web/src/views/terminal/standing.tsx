// How a session is: a line that is always there, and what has to be decided or known.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Button } from '../../components/button';
import { confirm } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { Failure } from '../../components/states';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/terminal';
import type { Shell } from './shell';

/** How long it is told that something was copied, in milliseconds. */
const STAY = 2_000;

/** The state in one line. */
export function Told({ shell }: { shell: Shell }) {
  const t = words.value;
  const isCopied = useSignal(false);
  const { copied } = shell;
  useEffect(() => {
    if (copied.value === 0) return;
    isCopied.value = true;
    const timer = setTimeout(() => {
      isCopied.value = false;
    }, STAY);
    return () => clearTimeout(timer);
  }, [copied.value]);
  const [icon, colour, text] = line(shell);
  return (
    <>
      <span class="told" role="status">
        <Icon name={icon} class={icon === 'loader-circle' ? 'spin warn' : colour} />
        <span>{isCopied.value ? t.copied : text}</span>
      </span>
      <Remedy shell={shell} />
    </>
  );
}

function line(shell: Shell): [icon: string, colour: string, text: string] {
  const t = words.value;
  const state = shell.wire.state.value;
  switch (state.is) {
    case 'opening':
      return ['loader-circle', 'warn', t.opening];
    case 'open':
      return ['circle-check', 'good', shell.kind === 'console' && shell.isSilent.value ? t.silent : t.open];
    case 'lost': {
      const kept = shell.waiting.value > 0 ? ` ${t.kept(bytes(shell.waiting.value))}` : '';
      const tries = state.tries > 0 ? ` (${t.tries(state.tries)})` : '';
      return ['loader-circle', 'warn', `${t.lost}${tries}${shell.isFull.value ? ` ${t.full}` : kept}`];
    }
    case 'ended':
      return [
        state.code ? 'circle-alert' : 'square',
        state.code ? 'warn' : 'quiet',
        `${t.ended(state.code)} ${t.enter}`,
      ];
    case 'left':
      return ['square', 'quiet', `${t.left} ${t.enter}`];
    case 'taken':
      return ['user', 'warn', t.taken(state.by)];
    case 'rival':
      return ['user', 'warn', `${state.problem.detail}. ${t.rivalHint}`];
    case 'failed':
      return ['circle-alert', 'bad', state.problem.title];
  }
}

/** What can be done about it. */
function Remedy({ shell }: { shell: Shell }) {
  const t = words.value;
  const state = shell.wire.state.value;
  const anew = (take = false) => {
    shell.anew(take);
    shell.emulator.focus();
  };
  const take = async () => {
    const sure = await confirm({ title: t.takeTitle, text: <p>{t.takeText}</p>, action: t.takeOver, danger: true });
    if (sure) anew(true);
  };
  const again = (
    <Button icon="rotate-cw" onClick={() => anew()}>
      {t.anew}
    </Button>
  );
  switch (state.is) {
    case 'lost':
      return (
        <Button icon="refresh-cw" onClick={() => shell.wire.wake()}>
          {t.tryNow}
        </Button>
      );
    case 'ended':
    case 'left':
      return again;
    case 'taken':
      if (shell.kind === 'exec') return again;
      return (
        <Button icon="undo-2" onClick={() => void take()}>
          {t.takeBack}
        </Button>
      );
    case 'rival':
      return (
        <Button icon="monitor" onClick={() => void take()}>
          {t.takeOver}
        </Button>
      );
    default:
      return null;
  }
}

/** Why the session failed, in the server's words. */
export function Failed({ shell }: { shell: Shell }) {
  const state = shell.wire.state.value;
  if (state.is !== 'failed') return null;
  return (
    <Failure
      problem={state.problem}
      retry={() => {
        shell.anew();
        shell.emulator.focus();
      }}
    />
  );
}

/** What is not shown, and why. */
export function Losses({ shell }: { shell: Shell }) {
  const t = words.value;
  const { old, missed, skipped, typed } = shell.lost.value;
  const told = [
    old > 0 && t.lostOld(bytes(old)),
    missed > 0 && t.lostMissed(bytes(missed)),
    skipped > 0 && t.lostSkipped(bytes(skipped)),
    typed > 0 && t.lostTyped(bytes(typed)),
  ].filter((text) => text !== false);
  if (told.length === 0) return null;
  return (
    <ul class="losses small" role="status">
      {told.map((text) => (
        <li key={text} class="row">
          <Icon name="info" class="warn" />
          <span>{text}</span>
        </li>
      ))}
    </ul>
  );
}
