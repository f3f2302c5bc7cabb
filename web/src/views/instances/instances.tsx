// The instances of all clouds in one list.
import { computed, useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { setQuery } from '../../app/router';
import { freshness, instances, loaded, may, trouble } from '../../app/store';
import { Icon } from '../../components/icon';
import { Menu } from '../../components/menu';
import { MoreRows } from '../../components/more-rows';
import { SearchField } from '../../components/search-field';
import { Empty, Failure, Loading } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/instances';
import { language } from '../../i18n/language';
import { Bulk } from './bulk';
import { COLUMNS, type ColumnId, chosen, columnOf, toggleColumn } from './columns';
import { useLook } from './look';
import { choices, clearFilters, FILTERS, type Filter, filters, found, order, sortBy } from './query';
import { Row } from './row';
import { isPicked, pickNone, pickOnly, selection } from './selection';
import { Stale } from './stale';

/** How many rows are drawn at first, and how many more when the end of the list comes into sight. */
const STEP = 100;

export function Instances() {
  const t = words.value;
  const limit = useSignal(STEP);
  const rows = useComputed(() => found.value.slice(0, limit.value));
  const all = found.value;
  useLook(rows.value);
  useEffect(() => {
    limit.value = STEP;
  }, [filters.value, order.value]);
  return (
    <div class="stack">
      <div class="heading">
        <h1>{t.title}</h1>
        <span class="quiet" role="status">
          {loaded.value !== 'nothing' && t.shown(all.length, allRows.value)}
        </span>
      </div>
      <Filters />
      <Stale />
      {trouble.value && loaded.value === 'nothing' ? (
        <Failure problem={trouble.value} />
      ) : loaded.value === 'nothing' ? (
        <Loading />
      ) : all.length === 0 ? (
        <Nothing />
      ) : (
        <>
          <Table rows={rows.value} />
          {rows.value.length < all.length && <MoreRows more={() => (limit.value += STEP)} />}
        </>
      )}
      {selection.value.length > 0 && <Bulk rows={selection.value} matching={all} />}
    </div>
  );
}

const allRows = computed(() => instances.value.size);

function Filters() {
  const t = words.value;
  const names: Record<Filter, string> = {
    cloud: t.allClouds,
    project: t.allProjects,
    status: t.allStatuses,
    type: t.allTypes,
  };
  const shown = (filter: Filter, value: string) => {
    const known: Record<string, string> =
      filter === 'status' ? common.value.statuses : filter === 'type' ? common.value.types : {};
    return known[value] ?? value;
  };
  return (
    <search class="filters no-print">
      <SearchField label={t.search} value={filters.value.text} onChange={(text) => setQuery({ q: text })} />
      {FILTERS.map((filter) => (
        <select
          key={filter}
          class="select"
          aria-label={names[filter]}
          value={filters.value[filter]}
          onChange={(event) => setQuery({ [filter]: event.currentTarget.value })}
        >
          <option value="">{names[filter]}</option>
          {choices.value[filter].map((value) => (
            <option key={value} value={value}>
              {shown(filter, value)}
            </option>
          ))}
        </select>
      ))}
      <Menu
        label={t.chooseColumns}
        icon="sliders-horizontal"
        choices={COLUMNS.map(({ id }) => ({
          label: t.columns[id],
          checked: chosen.value.includes(id),
          run: () => toggleColumn(id),
        }))}
      >
        {t.chooseColumns}
      </Menu>
    </search>
  );
}

function Table({ rows }: { rows: typeof found.value }) {
  const t = words.value;
  const columns = chosen.value;
  const allPicked = rows.every(isPicked);
  return (
    <div class="table-scroll">
      <table class="table instances">
        <caption class="sr-only">{t.title}</caption>
        <thead>
          <tr>
            <th class="pick" scope="col">
              <input
                type="checkbox"
                aria-label={t.pickAll}
                checked={allPicked}
                onChange={() => (allPicked ? pickNone() : pickOnly(rows))}
              />
            </th>
            {(['name', ...columns] as ColumnId[]).map((id) => (
              <Header key={id} id={id} />
            ))}
            <th scope="col">
              <span class="sr-only">{common.value.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row
              key={`${row.cloud}/${row.project}/${row.name}`}
              row={row}
              columns={columns}
              picked={isPicked(row)}
              freshness={freshness.value.get(row.cloud)}
              language={language.value}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Header({ id }: { id: ColumnId }) {
  const t = words.value;
  const { column, descending } = order.value;
  const isOrder = column.id === id;
  const sort = isOrder ? (descending ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" aria-sort={sort} class={columnOf(id).number ? 'number' : undefined}>
      <button type="button" class="sort" title={t.sortBy(t.columns[id])} onClick={() => sortBy(id)}>
        {t.columns[id]}
        {isOrder && <Icon name={descending ? 'arrow-down' : 'arrow-up'} />}
      </button>
    </th>
  );
}

function Nothing() {
  const t = words.value;
  if (allRows.value > 0) {
    return (
      <Empty icon="search" title={t.nothing}>
        <button type="button" class="button" onClick={clearFilters}>
          {t.clearFilters}
        </button>
      </Empty>
    );
  }
  return (
    <Empty icon="box" title={t.empty}>
      {may('edit') && (
        <a class="button primary" href="/create">
          {t.createFirst}
        </a>
      )}
    </Empty>
  );
}
