// What the instances in sight use: the node is asked once a minute, and keeps it fresh for those that somebody looks at.
import { useEffect, useRef } from 'preact/hooks';
import { get, path } from '../../api/client';
import type { InstanceRow, ListOf } from '../../api/types';
import { link, takeUsage } from '../../app/store';
import { chosen } from './columns';
import { filters, order } from './query';

/** How often, in milliseconds. */
const PAUSE = 60_000;
/** The node has seldom looked at what was not in sight before: the second answer has it. */
const SOON = 4_000;

/** The node's name for the order that a column makes. */
const ORDERS: Record<string, string> = {
  name: 'name',
  status: 'status',
  type: 'type',
  location: 'location',
  created: 'created_at',
  used: 'last_used_at',
  memory: 'memory',
  disk: 'disk',
  cpu: 'cpu',
  processes: 'processes',
  snapshots: 'snapshots',
};

export function useLook(rows: InstanceRow[]): void {
  const shown = useRef(rows);
  shown.current = rows;
  const { cloud, project, status, type, text } = filters.value;
  const { column, descending } = order.value;
  const asked = [cloud, project, status, type, text, column.id, descending, chosen.value.length].join('\n');
  useEffect(() => {
    let stopped = false;
    const look = async () => {
      if (document.visibilityState !== 'visible' || link.value === 'lost' || shown.current.length === 0) return;
      const query = {
        cloud,
        project,
        status,
        type,
        q: text,
        sort: ORDERS[column.id],
        descending: descending || undefined,
      };
      const limit = Math.min(shown.current.length, 200);
      try {
        const page = await get<ListOf<InstanceRow>>(path('instances'), { ...query, limit, look: true });
        if (!stopped) takeUsage(page.items);
      } catch {
        // The next look tells.
      }
    };
    const timers = [setTimeout(look, 300), setTimeout(look, SOON)];
    const timer = setInterval(look, PAUSE);
    return () => {
      stopped = true;
      for (const one of timers) clearTimeout(one);
      clearInterval(timer);
    };
  }, [asked]);
}
