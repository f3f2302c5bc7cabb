import type { ComponentChildren } from 'preact';
import { words } from '../i18n/common';
import { Button } from './button';
import { say } from './toasts';

/** Puts a text on the clipboard, also where the page came by plain HTTP and has no clipboard API. */
export async function copyText(text: string): Promise<boolean> {
  try {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(text);
      return true;
    }
  } catch {
    // Not allowed; the old way may be.
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'sr-only';
  const before = document.activeElement;
  // Inside the open dialog, as all else has no focus while it is open.
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}

export function CopyButton({ text, children, label }: { text: string; children?: ComponentChildren; label?: string }) {
  const t = words.value;
  const copy = async () => say((await copyText(text)) ? t.copied : t.notCopied);
  return (
    <Button
      icon="clipboard"
      kind={children ? undefined : 'plain'}
      label={children ? undefined : (label ?? t.copy)}
      onClick={copy}
    >
      {children}
    </Button>
  );
}
