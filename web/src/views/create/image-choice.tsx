// The images of the cloud, of which one is chosen.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { type Image, imageName } from '../../api/things';
import { Button } from '../../components/button';
import { SearchField } from '../../components/search-field';
import { Loading } from '../../components/states';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/create';
import { bytes } from '../../i18n/format';
import { referenceOf } from './check';
import type { Section } from './create';
import { More } from './fields';
import { imageOf, knownOf } from './resources';

function textOf({ aliases, fingerprint, architecture, properties, type }: Image): string {
  const names = aliases?.map(({ name }) => name).join(' ');
  return `${names} ${fingerprint} ${architecture} ${type} ${properties?.description}`.toLowerCase();
}

export function ImageChoice({ draft, change, errors, toServer }: Section & { toServer: () => void }) {
  const t = words.value;
  const text = useSignal('');
  const known = knownOf(draft.where);
  const images = known?.resources?.images;
  const chosen = imageOf(known?.resources ?? null, draft.image);
  const [only] = images ?? [];
  useEffect(() => {
    // One image is no choice; and what was chosen by any of its names is told by the one that the list has.
    if (images?.length === 1 && only && !draft.image) change({ image: referenceOf(only) });
    else if (chosen && referenceOf(chosen) !== draft.image && chosen.fingerprint.startsWith(draft.image))
      change({ image: referenceOf(chosen) });
  }, [images, draft.image]);
  if (!images) return known?.problem ? <More error={errors.image} /> : <Loading />;
  const place = `${draft.where.cloud}/${draft.where.project}`;
  if (images.length === 0) {
    return (
      <>
        <p>{t.noImages(place)}</p>
        <More error={errors.image} />
        <div>
          <Button icon="globe" onClick={toServer}>
            {t.takeServer}
          </Button>
        </div>
      </>
    );
  }
  const wanted = text.value.trim().toLowerCase();
  const found = images.filter((image) => textOf(image).includes(wanted));
  return (
    <>
      {images.length > 5 && (
        <SearchField
          label={t.searchImages}
          value={text.value}
          onChange={(typed) => {
            text.value = typed;
          }}
        />
      )}
      <fieldset class="options" aria-invalid={errors.image ? true : undefined} tabIndex={errors.image ? -1 : undefined}>
        <legend class="sr-only">{t.origins.image}</legend>
        {found.map((image) => (
          <Option
            key={image.fingerprint}
            image={image}
            checked={image === chosen}
            choose={() => change({ image: referenceOf(image) })}
          />
        ))}
        {found.length === 0 && <p class="quiet">{t.noImageFits}</p>}
      </fieldset>
      <More error={errors.image} />
    </>
  );
}

function Option({ image, checked, choose }: { image: Image; checked: boolean; choose: () => void }) {
  const { aliases, architecture, properties, size, type = '', uploaded_at } = image;
  const kind = (common.value.types as Record<string, string>)[type] ?? type;
  const others = aliases?.slice(1).map(({ name }) => name);
  return (
    <label class={checked ? 'option chosen' : 'option'}>
      <input type="radio" name="image" checked={checked} onChange={choose} />
      <span class="grow">
        <strong>{imageName(image)}</strong>
        {others && others.length > 0 && <span class="quiet small"> {others.join(', ')}</span>}
        <span class="quiet small block">
          {[properties?.description, kind, architecture, bytes(size)].filter(Boolean).join(' · ')}
          {uploaded_at && ' · '}
          <Time at={uploaded_at} />
        </span>
      </span>
    </label>
  );
}
