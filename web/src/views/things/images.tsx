// The images of the clouds.
import { type Image, imageName } from '../../api/things';
import { Icon } from '../../components/icon';
import { Time } from '../../components/time';
import { words as common } from '../../i18n/common';
import { bytes } from '../../i18n/format';
import { words } from '../../i18n/things';
import { Config, Facts, yesOrNo } from './facts';
import { ImageActions, ImageMenu } from './image-actions';
import { AddImage } from './image-add';
import type { Kind } from './kind';
import { type Placed, source } from './load';

function about({ properties }: Image): string {
  return properties?.description ?? '';
}

function typeOf({ type = '' }: Image): string {
  return (common.value.types as Record<string, string>)[type] ?? type;
}

export const IMAGES: Kind<Image> = {
  name: 'images',
  icon: 'disc',
  source: source(['images'], 'features.images'),
  id: ({ fingerprint }) => fingerprint,
  title: imageName,
  text: (image) =>
    `${image.fingerprint} ${image.aliases?.map(({ name }) => name).join(' ')} ${about(image)} ${image.architecture}`,
  filters: ['cloud', 'project', 'type'],
  columns: [
    { id: 'description', cell: ({ thing }) => about(thing), key: ({ thing }) => about(thing) },
    { id: 'type', cell: ({ thing }) => typeOf(thing), key: ({ thing }) => thing.type },
    { id: 'architecture', cell: ({ thing }) => thing.architecture, key: ({ thing }) => thing.architecture },
    { id: 'size', number: true, cell: ({ thing }) => bytes(thing.size), key: ({ thing }) => thing.size },
    { id: 'uploaded', cell: ({ thing }) => <Time at={thing.uploaded_at} />, key: ({ thing }) => thing.uploaded_at },
    { id: 'used', cell: ({ thing }) => <Time at={thing.last_used_at} />, key: ({ thing }) => thing.last_used_at },
  ],
  Detail: About,
  Actions: ImageActions,
  Menu: ImageMenu,
  Tools: AddImage,
};

function About({ row: { cloud, project, thing } }: { row: Placed<Image> }) {
  const t = words.value;
  const from = thing.update_source;
  return (
    <>
      <Facts
        facts={[
          [common.value.description, about(thing)],
          [t.facts.aliases, thing.aliases?.map(({ name }) => name).join(', ') || t.unnamed],
          [
            t.facts.fingerprint,
            <span key="fingerprint" class="mono">
              {thing.fingerprint}
            </span>,
          ],
          [common.value.type, typeOf(thing)],
          [t.columns.architecture, thing.architecture],
          [common.value.size, bytes(thing.size)],
          [t.facts.file, thing.filename],
          [t.facts.created, <Time key="created" at={thing.created_at} />],
          [t.columns.uploaded, <Time key="uploaded" at={thing.uploaded_at} />],
          [t.columns.used, <Time key="used" at={thing.last_used_at} otherwise={common.value.none} />],
          [t.facts.expires, <Time key="expires" at={thing.expires_at} otherwise={common.value.no} />],
          [t.facts.public, yesOrNo(thing.public)],
          [t.facts.cached, yesOrNo(thing.cached)],
          [t.facts.update, yesOrNo(thing.auto_update)],
          [t.facts.from, from?.server && `${from.server} (${from.protocol}): ${from.alias}`],
          [
            t.facts.profiles,
            thing.profiles && thing.profiles.length > 0 && (
              <span key="profiles" class="row">
                {thing.profiles.map((name) => (
                  <span key={name} class="chip">
                    <Icon name="sliders-horizontal" />
                    {name}
                  </span>
                ))}
              </span>
            ),
          ],
        ]}
      />
      <Config title={t.properties} config={thing.properties} cloud={cloud} project={project} />
    </>
  );
}
