// Images, profiles, projects, networks, storage, warnings and cluster members: a list of each over all clouds, and all about one.
import type { ComponentChildren } from 'preact';
import { Empty } from '../../components/states';
import { words as shell } from '../../i18n/shell';
import { Detail } from './detail';
import { IMAGES } from './images';
import type { Kind, ThingName } from './kind';
import { List } from './list';
import { MEMBERS } from './members';
import { NETWORKS } from './networks';
import { PROFILES } from './profiles';
import { PROJECTS } from './projects';
import { STORAGE } from './storage';
import { WARNINGS } from './warnings';

function view<T>(kind: Kind<T>, place: string[]): ComponentChildren {
  if (place.length === 0) return <List kind={kind} />;
  const isOne = place.length === (kind.source.feature !== undefined ? 3 : 2);
  return isOne ? <Detail kind={kind} place={place} /> : <Empty icon="circle-help" title={shell.value.notFound} />;
}

const VIEWS: Record<ThingName, (place: string[]) => ComponentChildren> = {
  images: (place) => view(IMAGES, place),
  profiles: (place) => view(PROFILES, place),
  projects: (place) => view(PROJECTS, place),
  networks: (place) => view(NETWORKS, place),
  storage: (place) => view(STORAGE, place),
  warnings: (place) => view(WARNINGS, place),
  members: (place) => view(MEMBERS, place),
};

export function Things({ parts: [which, ...place] }: { parts: string[] }) {
  return <>{VIEWS[which as ThingName](place)}</>;
}
