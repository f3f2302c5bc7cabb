import { words } from '../i18n/common';
import { Icon } from './icon';

const SHAPES: Record<string, [icon: string, colour: string]> = {
  Running: ['play', 'good'],
  Ready: ['play', 'good'],
  Stopped: ['square', 'quiet'],
  Frozen: ['snowflake', 'accent'],
  Error: ['circle-x', 'bad'],
};

const BETWEEN: [string, string] = ['loader-circle', 'warn'];

/** The status of an instance: a shape, a colour and a word. */
export function Status({ status }: { status: string }) {
  const [icon, colour] = SHAPES[status] ?? BETWEEN;
  const names: Record<string, string> = words.value.statuses;
  return (
    <span class={`status ${colour}`}>
      <Icon name={icon} />
      {names[status] ?? status}
    </span>
  );
}
