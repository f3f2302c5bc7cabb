// What few instances need: data for cloud-init, further settings, a description.
import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { Button } from '../../components/button';
import { words } from '../../i18n/create';
import type { Section } from './create';
import { Check, More, Text } from './fields';

export function Further({ draft, change, errors }: Section) {
  const t = words.value;
  const id = useId();
  const isCopy = draft.origin === 'copy';
  const open = useSignal(false);
  useEffect(() => {
    if (errors.settings) open.value = true;
  }, [errors.settings]);
  return (
    <details
      class="card"
      open={open.value}
      onToggle={(event) => {
        open.value = event.currentTarget.open;
      }}
    >
      <summary>
        <h2>{t.more}</h2>
      </summary>
      <div class="stack">
        {!isCopy && (
          <Text
            label={t.description}
            name="description"
            value={draft.description}
            change={(description) => change({ description })}
          />
        )}
        {!isCopy && (
          <div class="field">
            <label class="label" for={id}>
              {t.userData}
            </label>
            <textarea
              id={id}
              class="textarea"
              rows={8}
              spellcheck={false}
              autocapitalize="none"
              placeholder={'#cloud-config\npackages:\n  - nginx'}
              aria-describedby={`${id}-more`}
              value={draft.userData}
              onInput={(event) => change({ userData: event.currentTarget.value })}
            />
            <More id={`${id}-more`} hint={t.userDataHint} />
          </div>
        )}
        <Settings draft={draft} change={change} errors={errors} />
        {!isCopy && <Check label={t.ephemeral} value={draft.ephemeral} change={(ephemeral) => change({ ephemeral })} />}
      </div>
    </details>
  );
}

function Settings({ draft: { settings }, change, errors }: Section) {
  const t = words.value;
  const put = (at: number, part: Partial<{ key: string; value: string }>) =>
    change({ settings: settings.map((one, other) => (other === at ? { ...one, ...part } : one)) });
  return (
    <fieldset class="field">
      <legend class="label">{t.settings}</legend>
      {settings.map(({ key, value }, at) => (
        <div key={at} class="setting">
          <input
            class="input mono"
            name="settings"
            placeholder="boot.autostart"
            aria-label={`${t.key} ${at + 1}`}
            aria-invalid={errors.settings ? true : undefined}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={key}
            onInput={(event) => put(at, { key: event.currentTarget.value })}
          />
          <input
            class="input mono"
            aria-label={`${t.value} ${at + 1}`}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            value={value}
            onInput={(event) => put(at, { value: event.currentTarget.value })}
          />
          <Button
            kind="plain"
            icon="x"
            label={t.removeSetting(key || String(at + 1))}
            onClick={() => change({ settings: settings.filter((_, other) => other !== at) })}
          />
        </div>
      ))}
      <More error={errors.settings} />
      <div>
        <Button icon="plus" onClick={() => change({ settings: [...settings, { key: '', value: '' }] })}>
          {t.addSetting}
        </Button>
      </div>
    </fieldset>
  );
}
