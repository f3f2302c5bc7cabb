// The things of a kind, of all clouds in one list.
import { useSignal } from '@preact/signals';
import { place, setQuery } from '../../app/router';
import { clouds } from '../../app/store';
import { useTitle } from '../../app/title';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { SearchField } from '../../components/search-field';
import { Empty, Loading } from '../../components/states';
import { words as common } from '../../i18n/common';
import { count } from '../../i18n/format';
import { words as shell } from '../../i18n/shell';
import { words } from '../../i18n/things';
import { addressOf, type Column, type Kind } from './kind';
import { loadAll, type Placed, useThings } from './load';
import { choicesOf, clearFilters, columnsOf, found, orderOf, sortBy } from './query';
import { Troubles } from './troubles';

/** How many rows are drawn at first, and how many more each time. */
const STEP = 200;

export function List<T>({ kind }: { kind: Kind<T> }) {
  const t = words.value;
  useThings(kind.source);
  useTitle(shell.value.views[kind.name]);
  const limit = useSignal(STEP);
  const lists = [...kind.source.lists.value.values()];
  const all = lists.flatMap(({ rows }) => rows);
  const rows = found(kind, all);
  // Those that have told nothing yet.
  const asked = [...kind.source.lists.value]
    .filter(([, one]) => one.loading && one.rows.length === 0)
    .map(([name]) => name);
  const loading = lists.some((one) => one.loading);
  const failed = lists.some((one) => one.problem);
  const rest = Math.min(STEP, rows.length - limit.value);
  return (
    <div class="stack">
      <div class="heading">
        <h1>{shell.value.views[kind.name]}</h1>
        <span class="row">
          <span class="quiet" role="status">
            {lists.length > 0 && t.shown(count(rows.length), count(all.length))}
          </span>
          {kind.Tools && <kind.Tools />}
          <Button icon="refresh-cw" kind="plain" label={t.reload} busy={loading} onClick={() => loadAll(kind.source)} />
        </span>
      </div>
      {all.length > 0 && <Filters kind={kind} all={all} />}
      <Troubles from={kind.source} />
      {asked.length > 0 && all.length > 0 && <p class="quiet small">{t.loadingFrom(asked.join(', '))}</p>}
      {rows.length > 0 ? (
        <Table kind={kind} rows={rows.slice(0, limit.value)} />
      ) : all.length > 0 ? (
        <Empty icon="search" title={t.nothing}>
          <Button onClick={() => clearFilters(kind)}>{t.clearFilters}</Button>
        </Empty>
      ) : loading || (lists.length === 0 && clouds.value.length > 0) ? (
        <Loading />
      ) : clouds.value.length === 0 ? (
        <Empty icon="cloud" title={t.noCloud} />
      ) : failed ? null : (
        <Empty icon={kind.name === 'warnings' ? 'circle-check' : kind.icon} title={t.empty[kind.name]}>
          {t.emptyMore[kind.name] && <p>{t.emptyMore[kind.name]}</p>}
        </Empty>
      )}
      {rest > 0 && (
        <div>
          <Button onClick={() => (limit.value += STEP)}>{t.more(rest)}</Button>
        </div>
      )}
    </div>
  );
}

function Filters<T>({ kind, all }: { kind: Kind<T>; all: Placed<T>[] }) {
  const t = words.value;
  const { query } = place.value;
  const names: Record<string, Record<string, string>> = { type: common.value.types, severity: t.severities };
  return (
    <search class="filters">
      <SearchField label={t.search} value={query.get('q') ?? ''} onChange={(text) => setQuery({ q: text })} />
      {kind.filters.map((filter) => (
        <select
          key={filter}
          class="select"
          aria-label={t.filters[filter]}
          value={query.get(filter) ?? ''}
          onChange={(event) => setQuery({ [filter]: event.currentTarget.value })}
        >
          <option value="">{t.filters[filter]}</option>
          {choicesOf(kind, filter, all).map((value) => (
            <option key={value} value={value}>
              {names[filter]?.[value] ?? value}
            </option>
          ))}
        </select>
      ))}
    </search>
  );
}

function Table<T>({ kind, rows }: { kind: Kind<T>; rows: Placed<T>[] }) {
  const t = words.value;
  const [, ...columns] = columnsOf(kind);
  return (
    <div class="table-scroll">
      <table class="table instances things">
        <caption class="sr-only">{shell.value.views[kind.name]}</caption>
        <thead>
          <tr>
            {columnsOf(kind).map((column) => (
              <Header key={column.id} kind={kind} column={column} />
            ))}
            {kind.Menu && (
              <th scope="col">
                <span class="sr-only">{common.value.actions}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const address = addressOf(kind, row);
            return (
              <tr key={address} class={kind.source.lists.value.get(row.cloud)?.problem ? 'dim' : undefined}>
                <th class="name-cell" scope="row">
                  <a href={address}>{kind.title(row.thing)}</a>
                </th>
                {columns.map(({ id, number, cell }) => (
                  <td key={id} class={number ? 'number' : undefined} data-label={t.columns[id]}>
                    {cell(row)}
                  </td>
                ))}
                {kind.Menu && (
                  <td class="actions">
                    <kind.Menu row={row} />
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Header<T>({ kind, column: { id, number } }: { kind: Kind<T>; column: Column<T> }) {
  const t = words.value;
  const order = orderOf(kind);
  const isOrder = order.id === id;
  const sort = isOrder ? (order.descending ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" aria-sort={sort} class={number ? 'number' : undefined}>
      <button type="button" class="sort" title={t.sortBy(t.columns[id])} onClick={() => sortBy(kind, id)}>
        {t.columns[id]}
        {isOrder && <Icon name={order.descending ? 'arrow-down' : 'arrow-up'} />}
      </button>
    </th>
  );
}
