// Where something goes: a cloud and a project, of those where the caller may do that.
import type { Verb } from '../api/types';
import { clouds, may } from '../app/store';
import { words } from '../i18n/common';

export type Where = { cloud: string; project: string };

/** The clouds that have a project where the caller may do that, with those projects. */
export function placesFor(verb: Verb): { cloud: string; projects: string[]; reachable: boolean }[] {
  return clouds.value
    .map(({ name, projects, health }) => ({
      cloud: name,
      projects: projects.filter((project) => may(verb, name, project)),
      reachable: health.reachable !== false,
    }))
    .filter(({ projects }) => projects.length > 0);
}

/** The place with another cloud: in the project of the same name, in the default one, or in any. */
export function inCloud(cloud: string, project: string, verb: Verb): Where {
  const projects = placesFor(verb).find((place) => place.cloud === cloud)?.projects ?? [];
  const same = [project, 'default'].find((name) => projects.includes(name));
  return { cloud, project: same ?? projects[0] ?? '' };
}

type Props = { where: Where; verb: Verb; change: (where: Where) => void; cloudLabel?: string; projectLabel?: string };

export function PlaceFields({ where, verb, change, cloudLabel, projectLabel }: Props) {
  const t = words.value;
  const places = placesFor(verb);
  const projects = places.find(({ cloud }) => cloud === where.cloud)?.projects ?? [];
  return (
    <>
      <label class="field">
        <span class="label">{cloudLabel ?? t.cloud}</span>
        <select
          class="select"
          value={where.cloud}
          onChange={(event) => change(inCloud(event.currentTarget.value, where.project, verb))}
        >
          {places.map(({ cloud, reachable }) => (
            <option key={cloud} value={cloud}>
              {reachable ? cloud : `${cloud} (${t.states.unreachable})`}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="label">{projectLabel ?? t.project}</span>
        <select
          class="select"
          value={where.project}
          onChange={(event) => change({ ...where, project: event.currentTarget.value })}
        >
          {projects.map((project) => (
            <option key={project} value={project}>
              {project}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
