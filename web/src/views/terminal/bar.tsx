// What can be done with a terminal.
import type { Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { command, nameOf } from '../../app/commands';
import { Button } from '../../components/button';
import { copyText } from '../../components/copy';
import { Menu } from '../../components/menu';
import { say } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/terminal';
import { isLargest, isSmallest, reader, resize } from './choices';
import { paste } from './paste';
import type { Shell } from './shell';
import { Told } from './standing';

type Props = { shell: Shell; isFull: Signal<boolean>; bar: RefObject<HTMLDivElement | null> };

export function Bar({ shell, isFull, bar }: Props) {
  const t = words.value;
  const { emulator, key, kind } = shell;
  const copy = async (text: string) => say((await copyText(text)) ? common.value.copied : common.value.notCopied);
  const asCommand = command(key.project, kind === 'exec' ? 'shell' : 'console', nameOf(key));
  return (
    <div class="bar">
      <Told shell={shell} />
      <div
        ref={bar}
        class="tools"
        role="toolbar"
        aria-label={t.toolbar}
        // Who works with the mouse goes on typing.
        onMouseDown={(event) => event.preventDefault()}
      >
        <span class="quiet small leaves">{t.leaves}</span>
        <Button
          kind="plain"
          icon="a-arrow-down"
          label={t.smaller}
          disabled={isSmallest.value}
          onClick={() => resize(-1)}
        />
        <Button kind="plain" icon="a-arrow-up" label={t.larger} disabled={isLargest.value} onClick={() => resize(1)} />
        <Button
          kind="plain"
          icon="clipboard-paste"
          label={t.paste}
          disabled={!shell.isOn}
          onClick={() =>
            void paste((text) => {
              emulator.paste(text);
              // Once the dialog has given the focus back.
              setTimeout(() => emulator.focus());
            })
          }
        />
        <Button
          kind="plain"
          icon={isFull.value ? 'minimize' : 'maximize'}
          label={isFull.value ? t.back : t.full_}
          aria-pressed={isFull.value}
          onClick={() => {
            isFull.value = !isFull.value;
          }}
        />
        <Menu
          kind="plain"
          icon="ellipsis"
          label={t.options}
          choices={[
            { label: t.copyAll, icon: 'copy', run: () => void copy(emulator.text) },
            { label: common.value.copyCommand, icon: 'square-terminal', run: () => void copy(asCommand) },
            {
              label: t.reader,
              icon: 'user',
              checked: reader.value,
              run: () => {
                reader.value = !reader.value;
              },
            },
            { label: t.end, icon: 'x', danger: true, disabled: !shell.isOn, run: () => shell.wire.end() },
          ]}
        />
      </div>
    </div>
  );
}
