// All about one thing. It is of the list of its cloud, which gives each whole.
import { to } from '../../app/router';
import { clouds } from '../../app/store';
import { useTitle } from '../../app/title';
import { Icon } from '../../components/icon';
import { Empty, Failure, Loading } from '../../components/states';
import { words as shell } from '../../i18n/shell';
import { words } from '../../i18n/things';
import type { Kind } from './kind';
import { loadFrom, useThings } from './load';
import { Troubles } from './troubles';

export function Detail<T>({ kind, place }: { kind: Kind<T>; place: string[] }) {
  const t = words.value;
  useThings(kind.source);
  const [cloud = '', ...rest] = place;
  const [id = '', project = ''] = [...rest].reverse();
  const list = kind.source.lists.value.get(cloud);
  const row = list?.rows.find((one) => one.project === project && kind.id(one.thing) === id);
  const known = clouds.value.find(({ name }) => name === cloud);
  const title = row ? kind.title(row.thing) : id;
  useTitle(title, [cloud, project].filter(Boolean).join('/'));
  const where = [cloud, project].filter(Boolean).join(' / ');
  return (
    <div class="stack">
      <nav aria-label={shell.value.views[kind.name]}>
        <a class="button plain" href={to(kind.name)}>
          <Icon name={kind.icon} />
          {t.back(shell.value.views[kind.name])}
        </a>
      </nav>
      <div class="heading">
        <div>
          <h1>{title}</h1>
          <p class="quiet">{where}</p>
        </div>
        {row && kind.Actions && (
          <div class="row">
            <kind.Actions row={row} />
          </div>
        )}
      </div>
      {row ? (
        <>
          <Troubles from={kind.source} only={cloud} />
          <kind.Detail row={row} />
        </>
      ) : list?.problem && !list.loading ? (
        <Failure problem={list.problem} retry={known && (() => void loadFrom(kind.source, known))} />
      ) : list?.loading || (!list && (known || clouds.value.length === 0)) ? (
        <Loading />
      ) : (
        <Empty icon={kind.icon} title={t.gone(id)} />
      )}
    </div>
  );
}
