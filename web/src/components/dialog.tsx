// Dialogs: the browser's own, which keeps the focus inside and gives it back.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../i18n/common';
import { Button } from './button';

const open = signal<{ key: number; content: ComponentChildren }[]>([]);
let keys = 0;

/** Shows a dialog; what it returns closes it. */
export function show(content: (close: () => void) => ComponentChildren): () => void {
  const key = ++keys;
  const close = () => {
    open.value = open.value.filter((one) => one.key !== key);
  };
  open.value = [...open.value, { key, content: content(close) }];
  return close;
}

/** Whether a dialog is open: keys of the page mean nothing then. */
export function isOpen(): boolean {
  return open.value.length > 0;
}

export function Dialogs() {
  return (
    <>
      {open.value.map(({ key, content }) => (
        <div key={key}>{content}</div>
      ))}
    </>
  );
}

type Props = {
  title: string;
  close: () => void;
  wide?: boolean;
  /** Where there is one, the dialog is a form that Enter sends. */
  submit?: () => void;
  children: ComponentChildren;
  actions?: ComponentChildren;
};

export function Dialog({ title, close, wide, submit, children, actions }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const body = (
    <>
      <div class="heading">
        <h2>{title}</h2>
        <Button kind="plain" icon="x" label={words.value.close} onClick={close} />
      </div>
      {children}
      {actions && <div class="actions">{actions}</div>}
    </>
  );
  return (
    <dialog
      ref={element}
      class={wide ? 'dialog wide' : 'dialog'}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      {submit ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          {body}
        </form>
      ) : (
        <div class="body">{body}</div>
      )}
    </dialog>
  );
}

type Question = {
  title: string;
  text: ComponentChildren;
  action: string;
  danger?: boolean;
  /** What has to be typed first. */
  typed?: string;
};

/** Asks before something is done. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((answer) => {
    show((close) => {
      const end = (yes: boolean) => {
        close();
        answer(yes);
      };
      return <Confirm {...question} end={end} given={signal('')} />;
    });
  });
}

function Confirm({
  title,
  text,
  action,
  danger,
  typed,
  end,
  given,
}: Question & { end: (yes: boolean) => void; given: ReadonlySignal<string> & { value: string } }) {
  const t = words.value;
  const ready = !typed || given.value === typed;
  return (
    <Dialog
      title={title}
      close={() => end(false)}
      submit={() => ready && end(true)}
      actions={
        <>
          <Button onClick={() => end(false)}>{t.cancel}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} disabled={!ready}>
            {action}
          </Button>
        </>
      }
    >
      <div class="stack">{text}</div>
      {typed && (
        <label class="field">
          <span class="label">{t.typeToConfirm(typed)}</span>
          <input
            class="input"
            autocomplete="off"
            value={given.value}
            onInput={(event) => {
              given.value = event.currentTarget.value;
            }}
          />
        </label>
      )}
    </Dialog>
  );
}
