// A button with choices.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { Button } from './button';
import { Icon } from './icon';

export type Choice = {
  label: string;
  icon?: string;
  danger?: boolean;
  disabled?: boolean;
  /** Why it is disabled, or more about it. */
  hint?: string;
  checked?: boolean;
  /** Leads to a view, or to a file that is stored. */
  href?: string;
  download?: boolean;
  run?: () => void;
};

type Props = {
  label: string;
  icon?: string;
  kind?: 'primary' | 'plain';
  children?: ComponentChildren;
  choices: Choice[];
  class?: string;
  disabled?: boolean;
};

export function Menu({ label, icon, kind, children, choices, class: more, disabled }: Props) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLSpanElement>(null);
  // A list of many rows has many menus: each is drawn when it is opened.
  const isOpen = useSignal(false);
  const close = () => list.current?.hidePopover();
  useLayoutEffect(() => {
    if (isOpen.value) put();
  }, [isOpen.value]);

  function put() {
    const menu = list.current;
    const at = button.current?.getBoundingClientRect();
    if (!menu || !at) return;
    const { offsetWidth: width, offsetHeight: height } = menu;
    const below = at.bottom + height + 8 < innerHeight || at.top < height;
    menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
    menu.style.top = `${below ? at.bottom + 4 : at.top - height - 4}px`;
    menu.querySelector<HTMLElement>('.choice:not(:disabled)')?.focus();
  }

  function move(event: KeyboardEvent) {
    const all = [...(list.current?.querySelectorAll<HTMLElement>('.choice:not(:disabled)') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[(next + all.length) % all.length]?.focus();
  }

  return (
    <>
      <span ref={button}>
        <Button
          kind={kind}
          icon={icon}
          label={children ? undefined : label}
          class={more}
          disabled={disabled}
          popovertarget={id}
          aria-haspopup="menu"
        >
          {children}
          {children && <Icon name="chevron-down" />}
        </Button>
      </span>
      <div
        ref={list}
        id={id}
        class="menu"
        popover="auto"
        role="menu"
        aria-label={label}
        tabindex={-1}
        onBeforeToggle={(event) => {
          isOpen.value = (event as ToggleEvent).newState === 'open';
        }}
        onKeyDown={move}
      >
        {isOpen.value && choices.map((choice) => <Entry key={choice.label} choice={choice} close={close} />)}
      </div>
    </>
  );
}

function Entry({ choice, close }: { choice: Choice; close: () => void }) {
  const content = (
    <>
      {choice.icon && <Icon name={choice.icon} />}
      <span class="grow">
        {choice.label}
        {choice.hint && <span class="quiet small"> {choice.hint}</span>}
      </span>
      {choice.checked && <Icon name="check" />}
    </>
  );
  const name = choice.danger ? 'choice bad' : 'choice';
  if (choice.href && !choice.disabled) {
    return (
      <a class={name} role="menuitem" href={choice.href} download={choice.download} onClick={close}>
        {content}
      </a>
    );
  }
  const isChoice = choice.checked !== undefined;
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: with the role beside it, it is supported
    <button
      type="button"
      class={name}
      role={isChoice ? 'menuitemcheckbox' : 'menuitem'}
      aria-checked={isChoice ? choice.checked : undefined}
      disabled={choice.disabled}
      title={choice.hint}
      onClick={() => {
        close();
        choice.run?.();
      }}
    >
      {content}
    </button>
  );
}
