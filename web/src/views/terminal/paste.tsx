// Pasting where the browser lets the page not read the clipboard: by plain HTTP, and where the user says no.
import { useSignal } from '@preact/signals';
import { Button } from '../../components/button';
import { Dialog, show } from '../../components/dialog';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/terminal';

/** Pastes from the clipboard, or from a box into which the user pastes. */
export async function paste(give: (text: string) => void): Promise<void> {
  try {
    if (navigator.clipboard?.readText) {
      give(await navigator.clipboard.readText());
      return;
    }
  } catch {
    // Not allowed.
  }
  show((close) => <Box close={close} give={give} />);
}

function Box({ close, give }: { close: () => void; give: (text: string) => void }) {
  const t = words.value;
  const text = useSignal('');
  const send = () => {
    if (!text.value) return;
    close();
    give(text.value);
  };
  return (
    <Dialog
      title={t.paste}
      close={close}
      submit={send}
      actions={
        <>
          <Button onClick={close}>{common.value.cancel}</Button>
          <Button type="submit" kind="primary" disabled={!text.value}>
            {t.paste}
          </Button>
        </>
      }
    >
      <label class="field">
        <span class="label">{t.pasteHere}</span>
        <textarea
          class="textarea"
          rows={6}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && event.ctrlKey) send();
          }}
        />
      </label>
    </Dialog>
  );
}
