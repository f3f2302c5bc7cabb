// One instance with all its parts. It is loaded anew when its row in the list changes.
import { batch, computed, effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask, asProblem, instancePath } from '../../api/client';
import type { InstanceKey, Problem, WholeInstance } from '../../api/types';
import { freshness, idOf, instances, link } from '../../app/store';
import { Draft, type Read } from './draft';
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
  readonly row = computed(() => instances.value.get(idOf(this.key)) ?? this.whole.value?.row ?? null);
  readonly freshness = computed(() => freshness.value.get(this.key.cloud) ?? this.whole.value?.cloud ?? null);
  /** What can be changed, as it was last read. */
  readonly latest = computed<Read | null>(() =>
    this.instance.value ? { settings: settingsOf(this.instance.value), etag: this.etag.value } : null,
  );
  /** What the user is changing. It stays while the user looks at another tab. */
  readonly draft: Draft;
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
    // Without a link there is nothing to ask; once it is back, what was missed is.
    return link.value === 'lost' ? 'lost' : JSON.stringify([row && { ...row, state: undefined }, state]);
  }

  /** Follows it while somebody looks; ends by what it gives. */
  follow(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopLooking = effect(() => {
      const shape = this.shape();
      if (shape === this.seen && Date.now() - this.loadedAt < OLD) return;
      clearTimeout(timer);
      const pause = this.loadedAt > 0 && this.seen !== shape ? CALM : 0;
      if (shape !== 'lost') timer = setTimeout(this.load, pause);
      this.seen = shape;
    });
    const stopDraft = effect(() => this.draft.follow());
    return () => {
      clearTimeout(timer);
      stopLooking();
      stopDraft();
    };
  }
}

/** The one that was looked at last. */
let last: Source | null = null;

export function useSource(cloud: string, project: string, name: string): Source {
  const key = { cloud, project, name };
  if (!last || idOf(last.key) !== idOf(key)) last = new Source(key);
  const source = last;
  useEffect(() => source.follow(), [source]);
  return source;
}
