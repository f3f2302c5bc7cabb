// What was changed by whom, and what was denied: the newest first.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { asProblem, get, path } from '../../api/client';
import type { AuditRecord, Problem } from '../../api/types';
import { place, setQuery } from '../../app/router';
import { may } from '../../app/store';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { Empty, Failure, Loading } from '../../components/states';
import { Time } from '../../components/time';
import { words } from '../../i18n/audit';
import { words as common } from '../../i18n/common';

type Page = { node: string; items: AuditRecord[]; next?: string };

const RESULTS = ['running', 'done', 'failed', 'cancelled', 'denied', 'unknown'] as const;

const SHAPES: Record<string, [icon: string, colour: string]> = {
  running: ['loader-circle', 'accent'],
  done: ['circle-check', 'good'],
  failed: ['circle-x', 'bad'],
  denied: ['shield', 'warn'],
  cancelled: ['circle-x', 'quiet'],
  unknown: ['circle-help', 'quiet'],
};

/** How long typing rests before the node is asked, in milliseconds. */
const REST = 300;

export function Audit() {
  const t = words.value;
  const page = useSignal<Page | null>(null);
  const problem = useSignal<Problem | null>(null);
  const { query } = place.value;
  const wanted = Object.fromEntries(['user', 'action', 'object', 'result'].map((name) => [name, query.get(name)]));
  const asked = JSON.stringify(wanted);

  const load = async (after?: string, signal?: AbortSignal) => {
    try {
      const next = await get<Page>(path('audit'), { ...wanted, after, limit: 100 }, signal);
      page.value = after && page.value ? { ...next, items: [...page.value.items, ...next.items] } : next;
      problem.value = null;
    } catch (error) {
      if (!signal?.aborted) problem.value = asProblem(error);
    }
  };

  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => void load(undefined, stop.signal), page.value ? REST : 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [asked]);

  if (!may('admin')) return <Empty icon="shield" title={common.value.mayNot('admin')} />;
  return (
    <div class="stack">
      <div>
        <h1>{t.title}</h1>
        {page.value && <p class="quiet">{t.hint(page.value.node)}</p>}
      </div>
      <search class="filters no-print">
        {(['user', 'action', 'object'] as const).map((name) => (
          <input
            key={name}
            class="input filter"
            type="search"
            placeholder={t[name]}
            aria-label={t[name]}
            value={query.get(name) ?? ''}
            onInput={(event) => setQuery({ [name]: event.currentTarget.value })}
          />
        ))}
        <select
          class="select"
          aria-label={t.result}
          value={query.get('result') ?? ''}
          onChange={(event) => setQuery({ result: event.currentTarget.value })}
        >
          <option value="">{t.anyResult}</option>
          {RESULTS.map((result) => (
            <option key={result} value={result}>
              {t.results[result]}
            </option>
          ))}
        </select>
      </search>
      {problem.value ? (
        <Failure problem={problem.value} retry={() => void load()} />
      ) : !page.value ? (
        <Loading />
      ) : page.value.items.length === 0 ? (
        <Empty icon="scroll-text" title={t.nothing} />
      ) : (
        <Records items={page.value.items} />
      )}
      {page.value?.next && (
        <div>
          <Button onClick={() => void load(page.value?.next)}>{t.more}</Button>
        </div>
      )}
    </div>
  );
}

function Records({ items }: { items: AuditRecord[] }) {
  const t = words.value;
  return (
    <div class="table-scroll">
      <table class="table operations">
        <caption class="sr-only">{t.title}</caption>
        <thead>
          <tr>
            <th scope="col">{t.result}</th>
            <th scope="col">{t.what}</th>
            <th scope="col">{t.where}</th>
            <th scope="col">{t.who}</th>
            <th scope="col">{t.time}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((record) => {
            const [icon = '', colour = ''] = SHAPES[record.result] ?? [];
            return (
              <tr key={record.id}>
                <td>
                  <span class={`status ${colour}`}>
                    <Icon name={icon} />
                    {t.results[record.result]}
                  </span>
                  {record.count > 1 && <div class="quiet small">{t.times(record.count)}</div>}
                </td>
                <th scope="row">
                  {record.action} <span class="mono">{record.object}</span>
                  {record.detail && <div class="mono small quiet">{record.detail}</div>}
                  {record.error && <div class="bad small">{record.error}</div>}
                  {typeof record.code === 'number' && <div class="quiet small">{t.code(record.code)}</div>}
                </th>
                <td>{[record.cloud, record.project].filter(Boolean).join(' / ')}</td>
                <td class="whole">
                  {record.user?.login ?? record.tags?.join(', ')}
                  <div class="quiet small">{record.node.name}</div>
                </td>
                <td>
                  <Time at={record.time} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
