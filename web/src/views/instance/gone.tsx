// There is no instance at this address: it was deleted, has another name, or never was.
import type { InstanceRow } from '../../api/types';
import { to } from '../../app/router';
import { instances } from '../../app/store';
import { Button } from '../../components/button';
import { Empty } from '../../components/states';
import { words } from '../../i18n/instance';
import type { Source } from './source';

/** What it may be by now: the same one under another name, and others of its name. */
function others(source: Source): { renamed?: InstanceRow; same: InstanceRow[] } {
  const { cloud, project, name } = source.key;
  const uuid = source.known?.uuid;
  const rows = [...instances.value.values()];
  return {
    renamed: uuid ? rows.find((row) => row.uuid === uuid && row.cloud === cloud && row.project === project) : undefined,
    same: rows.filter((row) => row.name === name),
  };
}

export function Gone({ source }: { source: Source }) {
  const t = words.value;
  const { cloud, project, name } = source.key;
  const { renamed, same } = others(source);
  const link = (row: InstanceRow) => (
    <a class="mono" href={to('instances', row.cloud, row.project, row.name)}>
      {`${row.cloud}/${row.project}/${row.name}`}
    </a>
  );
  return (
    <div class="stack">
      <h1>{name}</h1>
      <Empty icon="circle-help" title={source.known ? t.gone(name) : t.never(name)}>
        <p class="mono">{`${cloud}/${project}/${name}`}</p>
        {source.problem.value && <p>{source.problem.value.detail}</p>}
        {renamed && (
          <p>
            {t.renamed} {link(renamed)}
          </p>
        )}
        {same.length > 0 && (
          <>
            <p>{t.sameName}</p>
            <ul class="stack">
              {same.map((row) => (
                <li key={`${row.cloud}/${row.project}`}>{link(row)}</li>
              ))}
            </ul>
          </>
        )}
        <div class="row">
          <a class="button primary" href="/instances">
            {t.allInstances}
          </a>
          <Button icon="refresh-cw" onClick={() => void source.load()}>
            {t.lookAgain}
          </Button>
        </div>
      </Empty>
    </div>
  );
}
