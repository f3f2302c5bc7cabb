// One instance with all its parts. It is loaded anew when its row in the list changes.
import { batch, computed, effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, asProblem, instancePath } from '../../api/client';
import type { InstanceKey, InstanceRow, Problem, WholeInstance } from '../../api/types';
import { freshness, idOf, instances, link } from '../../app/store';
import { Draft, type Read } from './draft';
import { operationsOf } from './operations';
import { settingsOf } from './settings';

/** Several changes soon after each other are one, in milliseconds. */
const CALM = 300;
/** What a tab shows again after a longer time is asked for anew, in milliseconds. */
const OLD = 30_000;

export class Source {
  readonly whole = signal<WholeInstance | null>(null);
  private readonly etag = signal<string | null>(null);
  /** Why it could not be loaded. What was known stays. */
  readonly problem = signal<Problem | null>(null);
  /** Whether the cloud says that there is none. */
  readonly gone = signal(false);
  readonly instance = computed(() => this.whole.value?.instance ?? null);
  readonly row = computed(() => {
    const told = this.whole.value?.row ?? null;
    const listed = instances.value.get(idOf(this.key));
    // The list leaves settings out.
    return listed ? { ...listed, config: told?.config ?? listed.config } : told;
  });
  readonly freshness = computed(() => freshness.value.get(this.key.cloud) ?? this.whole.value?.cloud ?? null);
  /** What can be changed, as it was last read. */
  readonly latest = computed<Read | null>(() =>
    this.instance.value ? { settings: settingsOf(this.instance.value), etag: this.etag.value } : null,
  );
  /** What the user is changing. It stays while the user looks at another tab. */
  readonly draft: Draft;
  /** What was known of it last, by which it is found under another name. */
  known: InstanceRow | null = null;
  private turn = 0;
  private seen = '';
  private loadedAt = 0;

  constructor(readonly key: InstanceKey) {
    this.draft = this.newDraft();
  }

  newDraft(): Draft {
    return new Draft(this.key, this.latest, () => this.load());
  }

  load = async (): Promise<void> => {
    const mine = ++this.turn;
    try {
      const { body, etag } = await ask<WholeInstance>('GET', instancePath(this.key));
      if (mine !== this.turn) return;
      batch(() => {
        this.whole.value = body;
        this.etag.value = etag;
        this.problem.value = null;
        this.gone.value = false;
      });
      this.loadedAt = Date.now();
    } catch (error) {
      if (mine !== this.turn) return;
      const problem = asProblem(error);
      batch(() => {
        this.gone.value = problem.status === 404;
        this.problem.value = problem;
      });
    }
  };

  /** What a change of which makes another look worth while. Its use is none of that. */
  private shape(): string {
    const row = instances.value.get(idOf(this.key));
    const state = freshness.value.get(this.key.cloud)?.state;
    // Snapshots and backups that others make are told by operations alone.
    const ended = operationsOf(this.key).flatMap(({ id, status_code = 0 }) => (status_code >= 200 ? [id] : []));
    // Without a link there is nothing to ask; once it is back, what was missed is.
    return link.value === 'lost' ? 'lost' : JSON.stringify([row && { ...row, state: undefined }, state, ended]);
  }

  /** Follows it while somebody looks; ends by what it gives. */
  follow(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopLooking = effect(() => {
      this.known = this.row.value ?? this.known;
      const shape = this.shape();
      if (shape === this.seen && Date.now() - this.loadedAt < OLD) return;
      clearTimeout(timer);
      const pause = this.loadedAt > 0 && this.seen !== shape ? CALM : 0;
      if (shape !== 'lost') timer = setTimeout(this.load, pause);
      this.seen = shape;
    });
    const stopDraft = effect(() => this.draft.follow());
    // A page that is closed takes what is not saved with it.
    const warn = (event: BeforeUnloadEvent) => this.draft.changes.peek().length > 0 && event.preventDefault();
    addEventListener('beforeunload', warn);
    return () => {
      removeEventListener('beforeunload', warn);
      clearTimeout(timer);
      stopLooking();
      stopDraft();
    };
  }
}

/** The one that was looked at last, and those with changes that are not saved. */
const kept = new Map<string, Source>();

export function useSource(cloud: string, project: string, name: string): Source {
  const key = { cloud, project, name };
  const source = kept.get(idOf(key)) ?? new Source(key);
  if (!kept.has(idOf(key))) {
    for (const [id, { draft }] of kept) if (draft.changes.peek().length === 0) kept.delete(id);
    kept.set(idOf(key), source);
  }
  useEffect(() => source.follow(), [source]);
  return source;
}
