import { Icon } from './icon';

type Props = {
  /** What is searched: its name, and what stands in it while it is empty. */
  label: string;
  value: string;
  isWrong?: boolean;
  onChange: (text: string) => void;
};

/** A field to search a list by. */
export function SearchField({ label, value, isWrong, onChange }: Props) {
  return (
    <div class="search">
      <Icon name="search" />
      <input
        class="input"
        type="search"
        placeholder={label}
        aria-label={label}
        aria-invalid={isWrong ? true : undefined}
        value={value}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    </div>
  );
}
