// Who asks, what that caller may do where, and what to paste for the rest.
import type { Caller, Missing, Verb } from '../../api/types';
import { clouds, may, me, node } from '../../app/store';
import { MissingGrant } from '../../components/grant';
import { Icon } from '../../components/icon';
import { Loading } from '../../components/states';
import { words } from '../../i18n/access';

declare const LICENCES: string;

const VERBS: Verb[] = ['view', 'operate', 'edit', 'files', 'exec', 'metrics', 'admin'];

export function Access() {
  const t = words.value;
  const caller = me.value?.caller;
  if (!caller) return <Loading />;
  const lacking = VERBS.filter((verb) => !may(verb));
  return (
    <div class="stack">
      <h1>{t.title}</h1>
      <section class="card stack" aria-labelledby="who">
        <h2 id="who">{t.who}</h2>
        <dl class="facts">
          <dt>{t.login}</dt>
          <dd>{caller.user ? [caller.user.login, caller.user.display_name].filter(Boolean).join(', ') : '–'}</dd>
          <dt>{t.node}</dt>
          <dd>{caller.node.name}</dd>
          <dt>{t.address}</dt>
          <dd class="mono">{caller.address}</dd>
          {caller.tags.length > 0 && (
            <>
              <dt>{t.tags}</dt>
              <dd>{caller.tags.join(', ')}</dd>
            </>
          )}
          <dt>{t.kind}</dt>
          <dd>{t.kinds[caller.kind]}</dd>
        </dl>
        <p class="quiet small">{t.hint}</p>
      </section>
      <Rights caller={caller} />
      {lacking.length > 0 && (
        <section class="card stack" aria-labelledby="missing">
          <h2 id="missing">{t.missing}</h2>
          <p class="quiet">{t.missingHint}</p>
          <MissingGrant grant={missing(caller, lacking)} />
        </section>
      )}
      <section class="card stack" aria-labelledby="page">
        <h2 id="page">{t.page}</h2>
        <dl class="facts">
          <dt>{t.version}</dt>
          <dd>{me.value?.version}</dd>
        </dl>
        <p>
          <a href={LICENCES}>{t.licences}</a>
        </p>
      </section>
    </div>
  );
}

/** The grant that would give a caller these rights everywhere, as the node itself tells what is missing somewhere. */
function missing(caller: Caller, verbs: Verb[]): Missing {
  const right = { clouds: ['*'], projects: ['*'], verbs };
  const names = caller.tags.length > 0 ? caller.tags : [caller.user?.login ?? caller.address];
  const who = caller.tags.length > 0 ? caller.tags : [caller.user ? `user:${caller.user.login}` : caller.address];
  const port = location.port || (location.protocol === 'https:' ? '443' : '80');
  const [address = location.hostname] = node.value?.this.ips ?? [];
  const app = { 'kolaboree.dev/cap/clouds': [right] };
  return { policy: { src: names, dst: [address], ip: [`tcp:${port}`], app }, rule: { who, ...right } };
}

/** A row for each cloud, a column for each verb. */
function Rights({ caller }: { caller: Caller }) {
  const t = words.value;
  const projectsOf = (verb: Verb, cloud: string) => {
    const rights = caller.rights.filter(
      (right) => right.verbs.includes(verb) && (right.clouds.includes('*') || right.clouds.includes(cloud)),
    );
    const all = [...new Set(rights.flatMap((right) => right.projects))];
    return all.includes('*') ? [t.all] : all;
  };
  return (
    <section class="stack" aria-labelledby="may">
      <h2 id="may">{t.may}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard */}
      <section class="table-scroll" tabIndex={0} aria-labelledby="may">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t.cloud}</th>
              {VERBS.map((verb) => (
                <th key={verb} scope="col" title={t.verbHints[verb]}>
                  {t.verbs[verb]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {clouds.value.map(({ name }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {VERBS.map((verb) => {
                  const projects = projectsOf(verb, name);
                  return (
                    <td key={verb}>
                      <span class={projects.length > 0 ? 'status good' : 'status quiet'}>
                        <Icon name={projects.length > 0 ? 'check' : 'x'} />
                        {projects.length > 0 ? projects.join(', ') : t.no}
                      </span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <dl class="facts small">
        {VERBS.map((verb) => (
          <>
            <dt>{t.verbs[verb]}</dt>
            <dd>{t.verbHints[verb]}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}
