import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';
import { Icon } from './icon';

type Props = {
  icon?: string;
  /** What it does, where the icon stands alone. */
  label?: string;
  kind?: 'primary' | 'danger' | 'plain';
  busy?: boolean;
  children?: ComponentChildren;
} & Omit<Partial<ButtonHTMLAttributes<HTMLButtonElement>>, 'icon' | 'label'>;

export function Button({ icon, label, kind, busy, children, class: more, ...rest }: Props) {
  return (
    <button
      type="button"
      class={['button', kind, more].filter(Boolean).join(' ')}
      aria-label={label}
      title={label}
      aria-busy={busy}
      {...rest}
    >
      {busy ? <Icon name="loader-circle" class="spin" /> : icon ? <Icon name={icon} /> : null}
      {children}
    </button>
  );
}
