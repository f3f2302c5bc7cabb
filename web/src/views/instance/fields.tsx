// Fields of dialogs and forms, bound to signals.
import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

type TextProps = {
  label: string;
  value: Signal<string>;
  hint?: ComponentChildren;
  placeholder?: string;
  focus?: boolean;
  type?: 'text' | 'datetime-local';
  disabled?: boolean;
  /** What may be chosen; other texts are fine too. */
  choices?: string[];
};

export function Text({ label, value, hint, placeholder, focus, type, disabled, choices }: TextProps) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    if (focus) input.current?.select();
  }, []);
  return (
    <label class="field">
      <span class="label">{label}</span>
      <input
        ref={input}
        class="input"
        type={type ?? 'text'}
        autocomplete="off"
        spellcheck={false}
        autofocus={focus}
        placeholder={placeholder}
        disabled={disabled}
        list={choices ? id : undefined}
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
      {choices && (
        <datalist id={id}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
      {hint && <span class="quiet small">{hint}</span>}
    </label>
  );
}

export function Check({
  label,
  value,
  hint,
  disabled,
}: {
  label: string;
  value: Signal<boolean>;
  hint?: string;
  disabled?: boolean;
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value.value}
        disabled={disabled}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      <span>
        {label}
        {hint && <span class="quiet small"> {hint}</span>}
      </span>
    </label>
  );
}

export type Option = { value: string; label: string };

export function Select({
  label,
  value,
  options,
  hint,
  change,
}: {
  label: string;
  value: string;
  options: Option[];
  hint?: ComponentChildren;
  change: (value: string) => void;
}) {
  return (
    <label class="field">
      <span class="label">{label}</span>
      <select class="select" value={value} onChange={(event) => change(event.currentTarget.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && <span class="quiet small">{hint}</span>}
    </label>
  );
}
