declare const ICONS: string;

/** An icon of the set. It says nothing by itself: a label stands beside it or on the button around it. */
export function Icon({ name, class: more }: { name: string; class?: string }) {
  return (
    <svg class={more ? `icon ${more}` : 'icon'} aria-hidden="true">
      <use href={`${ICONS}#${name}`} />
    </svg>
  );
}
