// Fields of the form, with what is wrong with them.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

type TextProps = {
  label: string;
  name: string;
  value: string;
  change: (value: string) => void;
  error?: string;
  hint?: ComponentChildren;
  placeholder?: string;
  choices?: string[];
  mode?: 'numeric' | 'url';
  focus?: boolean;
};

export function Text({ label, name, value, change, error, hint, placeholder, choices, mode, focus }: TextProps) {
  const id = useId();
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      <input
        id={id}
        class="input"
        type="text"
        name={name}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        inputMode={mode}
        autofocus={focus}
        placeholder={placeholder}
        value={value}
        list={choices && `${id}-choices`}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-more` : undefined}
        onInput={(event) => change(event.currentTarget.value)}
      />
      {choices && (
        <datalist id={`${id}-choices`}>
          {choices.map((choice) => (
            <option key={choice} value={choice} />
          ))}
        </datalist>
      )}
      <More id={`${id}-more`} error={error} hint={hint} />
    </div>
  );
}

type ChoiceProps = {
  label: string;
  name: string;
  value: string;
  change: (value: string) => void;
  choices: [value: string, text: string][];
  error?: string;
  hint?: ComponentChildren;
};

export function Choice({ label, name, value, change, choices, error, hint }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      <select
        id={id}
        class="select"
        name={name}
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-more` : undefined}
        onChange={(event) => change(event.currentTarget.value)}
      >
        {choices.map(([choice, text]) => (
          <option key={choice} value={choice}>
            {text}
          </option>
        ))}
      </select>
      <More id={`${id}-more`} error={error} hint={hint} />
    </div>
  );
}

/** What is wrong, else what is to be known. */
export function More({ id, error, hint }: { id?: string; error?: string; hint?: ComponentChildren }) {
  if (error)
    return (
      <span id={id} class="error" role="alert">
        {error}
      </span>
    );
  return hint ? (
    <span id={id} class="quiet small">
      {hint}
    </span>
  ) : null;
}

export function Check({ label, value, change }: { label: string; value: boolean; change: (on: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => change(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

type RadiosProps<T extends string> = {
  legend: string;
  /** The heading above says it already. */
  isHeading?: boolean;
  name: string;
  value: T;
  choices: [value: T, text: string][];
  change: (value: T) => void;
};

/** A few choices of which one holds, side by side. */
export function Radios<T extends string>({ legend, isHeading, name, value, choices, change }: RadiosProps<T>) {
  return (
    <fieldset class="radios">
      <legend class={isHeading ? 'sr-only' : 'label'}>{legend}</legend>
      {choices.map(([choice, text]) => (
        <label key={choice} class="check">
          <input type="radio" name={name} value={choice} checked={choice === value} onChange={() => change(choice)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}
