// Where instances are made, and how they are named.
import { clouds } from '../../app/store';
import { inCloud, PlaceFields, placesFor } from '../../components/place';
import { words } from '../../i18n/create';
import type { Section } from './create';
import { last, namesOf } from './draft';
import { Check, Choice, Text } from './fields';

/** No more names are told. */
const FEW = 3;

export function Places({ draft, change, errors }: Section) {
  const t = words.value;
  const { where, also } = draft;
  const others = placesFor('edit').filter(({ cloud }) => cloud !== where.cloud);
  const names = namesOf(draft);
  const hint = draft.origin === 'copy' ? t.copyNamesHint : t.namesHint;
  const told = names.length > FEW ? `${names.slice(0, 2).join(', ')} … ${names.at(-1)}` : names.join(', ');
  return (
    <section class="card stack">
      <h2>{t.where}</h2>
      <div class="columns">
        <PlaceFields
          where={where}
          verb="edit"
          change={(next) => {
            last.value = next;
            change({ where: next, also: also.filter(({ cloud }) => cloud !== next.cloud) });
          }}
        />
      </div>
      {others.length > 0 && clouds.value.length > 1 && (
        <fieldset class="radios">
          <legend class="label">{t.also}</legend>
          {others.map(({ cloud }) => (
            <Check
              key={cloud}
              label={cloud}
              value={also.some((one) => one.cloud === cloud)}
              change={(on) => {
                const rest = also.filter((one) => one.cloud !== cloud);
                change({ also: on ? [...rest, inCloud(cloud, where.project, 'edit')] : rest });
              }}
            />
          ))}
          <span class="quiet small">{t.alsoHint}</span>
        </fieldset>
      )}
      <div class="columns">
        {also.map((one) => {
          const projects = others.find(({ cloud }) => cloud === one.cloud)?.projects ?? [];
          if (projects.length < 2) return null;
          return (
            <Choice
              key={one.cloud}
              label={t.projectThere(one.cloud)}
              name={`project-${one.cloud}`}
              value={one.project}
              choices={projects.map((project) => [project, project])}
              change={(project) => change({ also: also.map((other) => (other === one ? { ...one, project } : other)) })}
            />
          );
        })}
      </div>
      <div class="columns names">
        <Text
          label={t.names}
          name="names"
          value={draft.names}
          error={errors.names}
          hint={names.length > 1 && names[0] ? t.willBe(told) : hint}
          focus={matchMedia('(pointer: fine)').matches}
          change={(value) => change({ names: value })}
        />
        <Text
          label={t.howMany}
          name="count"
          mode="numeric"
          value={draft.count}
          error={errors.count}
          change={(count) => change({ count })}
        />
      </div>
    </section>
  );
}
