// The whole settings as YAML, to be edited at once.
import { batch } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { Settings } from '../../api/types';
import { CopyButton } from '../../components/copy';
import { words } from '../../i18n/instance-settings';
import type { Draft } from './draft';
import { isVolatile } from './settings';
import { read, write } from './yaml';

/** The settings with or without what the server notes for itself. */
function part(settings: Settings, volatile: boolean): Settings {
  if (volatile) return settings;
  const config = Object.entries(settings.config).filter(([key]) => !isVolatile(key));
  return { ...settings, config: Object.fromEntries(config) };
}

/** What was hidden comes back. */
function whole(settings: Settings, before: Settings, volatile: boolean): Settings {
  if (volatile) return settings;
  const hidden = Object.entries(before.config).filter(([key]) => isVolatile(key));
  return { ...settings, config: { ...Object.fromEntries(hidden), ...settings.config } };
}

export function Editor({ draft, mayEdit }: { draft: Draft; mayEdit: boolean }) {
  const t = words.value;
  const id = useId();
  const settings = draft.mine.value;
  if (!settings) return null;
  const text = draft.text.value ?? write(part(settings, draft.notes.value));
  const wrong = draft.wrong.value;
  const edit = (now: string) =>
    batch(() => {
      draft.text.value = now;
      try {
        draft.mine.value = whole(read(now, t.wrong), settings, draft.notes.value);
        draft.wrong.value = '';
      } catch (error) {
        draft.wrong.value = error instanceof Error ? error.message : String(error);
      }
    });
  const showNotes = (shown: boolean) =>
    batch(() => {
      draft.text.value = null;
      draft.notes.value = shown;
    });
  return (
    <div class="stack">
      <div class="heading">
        <label class="check">
          <input
            type="checkbox"
            checked={draft.notes.value}
            disabled={wrong !== ''}
            onChange={(event) => showNotes(event.currentTarget.checked)}
          />
          {t.withVolatile}
        </label>
        <CopyButton text={text} label={t.copyText} />
      </div>
      <div class="field">
        <textarea
          class="textarea yaml"
          rows={24}
          spellcheck={false}
          autocapitalize="off"
          readOnly={!mayEdit}
          aria-label={t.shapes.yaml}
          aria-invalid={wrong !== ''}
          aria-describedby={id}
          value={text}
          onInput={(event) => edit(event.currentTarget.value)}
        />
        <span id={id} class={wrong ? 'error' : 'quiet small'} role="status">
          {wrong ? t.notValid(wrong) : t.yamlHint}
        </span>
      </div>
    </div>
  );
}
