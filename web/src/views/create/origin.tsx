// What an instance is made of.

import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/create';
import type { Section } from './create';
import { ORIGINS, type OriginName, placesOf } from './draft';
import { Choice, Radios, Text } from './fields';
import { ImageChoice } from './image-choice';
import { SERVERS } from './servers';
import { SourceChoice } from './source-choice';

export function Origin(section: Section) {
  const { draft, change } = section;
  const t = words.value;
  const choose = (origin: OriginName) => {
    // A copy keeps the profiles of its source; what is empty has nothing to start.
    const profiles = origin === 'copy' ? null : (draft.profiles ?? ['default']);
    change({ origin, profiles, start: origin === 'image' || origin === 'server' });
  };
  return (
    <section class="card stack">
      <h2>{t.origin}</h2>
      <Radios
        legend={t.origin}
        isHeading
        name="origin"
        value={draft.origin}
        choices={ORIGINS.map((name) => [name, t.origins[name]])}
        change={choose}
      />
      {draft.origin === 'image' && <ImageChoice {...section} toServer={() => choose('server')} />}
      {draft.origin === 'server' && <Server {...section} />}
      {draft.origin === 'copy' && <SourceChoice {...section} />}
      {draft.origin === 'empty' && <p class="quiet">{t.emptyHint}</p>}
      {(draft.origin === 'server' || draft.origin === 'empty') && (
        <Radios
          legend={t.kind}
          name="kind"
          value={draft.isVm ? 'virtual-machine' : 'container'}
          choices={[
            ['container', common.value.types.container],
            ['virtual-machine', common.value.types['virtual-machine']],
          ]}
          change={(kind) => change({ isVm: kind === 'virtual-machine' })}
        />
      )}
    </section>
  );
}

function Server({ draft, change, errors }: Section) {
  const t = words.value;
  const clouds = placesOf(draft).map(({ cloud }) => cloud);
  return (
    <>
      <div class="columns">
        <Text
          label={t.url}
          name="url"
          mode="url"
          value={draft.url}
          error={errors.url}
          choices={[...SERVERS]}
          change={(url) => change({ url })}
        />
        <Choice
          label={t.protocol}
          name="protocol"
          value={draft.protocol}
          choices={['simplestreams', 'lxd', 'incus'].map((name) => [name, name])}
          change={(protocol) => change({ protocol })}
        />
        <Text
          label={t.alias}
          name="alias"
          value={draft.alias}
          error={errors.alias}
          hint={t.aliasHint}
          placeholder="debian/12"
          change={(alias) => change({ alias })}
        />
      </div>
      <p class="row small">
        <Icon name="info" class="accent" />
        <span class="grow">{t.ownNetwork(clouds.join(', '))}</span>
      </p>
    </>
  );
}
