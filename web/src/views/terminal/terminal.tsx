// The terminal or the console of an instance.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { asProblem } from '../../api/client';
import type { InstanceRow, Problem } from '../../api/types';
import { changeState } from '../../app/actions';
import { theme } from '../../app/settings';
import { idOf, may } from '../../app/store';
import { Button } from '../../components/button';
import { copyText } from '../../components/copy';
import { Empty, Failure, Loading } from '../../components/states';
import { say } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/terminal';
import { Bar } from './bar';
import { reader, size } from './choices';
import { colours, onSystem } from './colours';
import type { Emulator as EmulatorClass } from './emulator';
import { follow } from './follow';
import { Keybar } from './keybar';
import { Shell, shellOf } from './shell';
import { Failed, Losses } from './standing';
import type { Kind } from './wire';

type Props = { row: InstanceRow; kind: Kind };

export function TerminalTab({ row, kind }: Props) {
  const t = words.value;
  const Emulator = useSignal<typeof EmulatorClass | null>(null);
  const failed = useSignal<Problem | null>(null);
  const mayExec = may('exec', row.cloud, row.project);
  useEffect(() => {
    if (!mayExec) return;
    import('./emulator').then(
      (module) => {
        Emulator.value = module.Emulator;
      },
      (error) => {
        failed.value = asProblem(error);
      },
    );
  }, [mayExec]);
  if (!mayExec) {
    return (
      <Empty icon="shield" title={t.mayNot}>
        <p>{t.mayNotWhy(row.cloud, row.project)}</p>
      </Empty>
    );
  }
  if (failed.value) return <Failure problem={failed.value} retry={() => location.reload()} />;
  if (!Emulator.value) return <Loading what={t.loading} />;
  return <Open key={`${kind} ${idOf(row)}`} row={row} kind={kind} Emulator={Emulator.value} />;
}

/** Copies what was selected. A success is told where the state is: it comes often. */
async function copy(shell: Shell, text: string): Promise<void> {
  if (await copyText(text)) shell.copied.value++;
  else say(common.value.notCopied);
}

function Open({ row, kind, Emulator }: Props & { Emulator: typeof EmulatorClass }) {
  const t = words.value;
  const box = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const isFull = useSignal(false);
  const key = { cloud: row.cloud, project: row.project, name: row.name };
  const begun = useRef<Shell>(null);
  begun.current ??= shellOf(key, kind, () => {
    const look = { theme: colours(), fontSize: size.value, reader: reader.value };
    const shell: Shell = new Shell(key, kind, (hooks) => new Emulator(hooks, look), {
      selected: (text) => void copy(shell, text),
      link: (address) => void follow(address),
    });
    return shell;
  });
  const shell = begun.current;
  const isRunning = row.status === 'Running' || row.status === 'Ready';
  const isIdle = !shell.isBegun.value && !isRunning;

  useEffect(() => {
    const element = box.current;
    if (!element || isIdle) return;
    element.append(shell.place);
    shell.emulator.open(shell.place, t.label(t.names[kind], row.name, `${row.cloud}/${row.project}`));
    shell.leave = () => bar.current?.querySelector('button')?.focus();
    shell.emulator.fit();
    if (!shell.isBegun.value) shell.open();
    if (matchMedia('(pointer: fine)').matches) shell.emulator.focus();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => shell.emulator.fit(), 60);
    });
    observer.observe(element);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      shell.place.remove();
    };
  }, [shell, isIdle]);

  useEffect(() => {
    const set = () => shell.emulator.set({ theme: colours(), fontSize: size.value, reader: reader.value });
    set();
    return onSystem(set);
  }, [shell, theme.value, size.value, reader.value]);

  const height = useVisibleHeight(isFull.value);
  if (isIdle) return <Stopped row={row} />;
  return (
    <section
      class={isFull.value ? 'terminal full' : 'terminal'}
      style={{ height }}
      aria-label={t.label(t.names[kind], row.name, `${row.cloud}/${row.project}`)}
    >
      <Bar shell={shell} isFull={isFull} bar={bar} />
      <Losses shell={shell} />
      <Failed shell={shell} />
      <div ref={box} class="box" />
      <Keybar shell={shell} />
    </section>
  );
}

function Stopped({ row }: { row: InstanceRow }) {
  const t = words.value;
  return (
    <Empty icon="square" title={t.stopped(row.name)}>
      <Button
        disabled={!may('operate', row.cloud, row.project)}
        onClick={() => void changeState([row], row.status === 'Frozen' ? 'unfreeze' : 'start')}
      >
        {t.start}
      </Button>
    </Empty>
  );
}

/** How high the window is above the keyboard of a phone, while the terminal fills it. */
function useVisibleHeight(isFull: boolean): string | undefined {
  const height = useSignal<string | undefined>(undefined);
  useEffect(() => {
    const view = visualViewport;
    if (!isFull || !view) {
      height.value = undefined;
      return;
    }
    const measure = () => {
      height.value = `${view.height}px`;
    };
    measure();
    view.addEventListener('resize', measure);
    return () => view.removeEventListener('resize', measure);
  }, [isFull]);
  return height.value;
}
