// What a user is changing of an instance's settings. It outlives changes at the server, and is saved only upon what was read.
import { batch, computed, type ReadonlySignal, signal, untracked } from '@preact/signals';
import { ApiError, ask, asProblem, instancePath } from '../../api/client';
import type { InstanceKey, JobView, Problem, Settings } from '../../api/types';
import { body } from '../../app/actions';
import { begin, problemOf } from '../../app/jobs';
import { apply, type Difference, differences, isVolatile } from './settings';

/** Settings as they were read, with the version that a change of them is for. */
export type Read = { settings: Settings; etag: string | null };

/** How long the answer to a change may wait for its end, in seconds. */
const WAIT = 15;

/** What changed that a user cares about. */
function seen(changes: Difference[]): Difference[] {
  return changes.filter(({ place }) => place[0] !== 'config' || !isVolatile(place[1] ?? ''));
}

export class Draft {
  /** What the changes are made upon. */
  readonly base = signal<Read | null>(null);
  readonly mine = signal<Settings | null>(null);
  readonly problem = signal<Problem | null>(null);
  readonly busy = signal(false);
  /** The text that the user writes it as, where that is so; what is wrong with it; and whether it shows the server's notes. */
  readonly text = signal<string | null>(null);
  readonly wrong = signal('');
  readonly notes = signal(false);
  /** What the user has changed. */
  readonly changes = computed(() =>
    this.base.value && this.mine.value ? differences(this.base.value.settings, this.mine.value) : [],
  );
  /** What somebody else has changed since. */
  readonly meanwhile: ReadonlySignal<Difference[]>;

  constructor(
    readonly key: InstanceKey,
    private readonly latest: ReadonlySignal<Read | null>,
    private readonly reload: () => Promise<void>,
  ) {
    this.meanwhile = computed(() =>
      this.base.value && latest.value && this.changes.value.length > 0
        ? seen(differences(this.base.value.settings, latest.value.settings))
        : [],
    );
  }

  /** Takes what was read anew, where that disturbs nobody. */
  follow(): void {
    const latest = this.latest.value;
    untracked(() => {
      if (latest && this.meanwhile.value.length === 0) this.rebase(this.changes.value.length > 0 && !this.notes.value);
    });
  }

  change(edit: (settings: Settings) => void): void {
    const mine = structuredClone(this.mine.value);
    if (!mine) return;
    edit(mine);
    batch(() => {
      this.mine.value = mine;
      this.forget();
    });
  }

  /** Sets a key of the configuration, or unsets it. */
  set(key: string, value: string | undefined): void {
    this.change(({ config }) => {
      if (value === undefined) delete config[key];
      else config[key] = value;
    });
  }

  /** Puts the user's changes upon what is there now. */
  rebase(keepText = false): void {
    const latest = this.latest.value;
    if (!latest) return;
    const changes = this.changes.value;
    batch(() => {
      this.base.value = latest;
      this.mine.value = apply(latest.settings, changes);
      if (!keepText) this.forget();
    });
  }

  discard(): void {
    batch(() => {
      this.base.value = this.latest.value;
      this.mine.value = this.latest.value?.settings ?? null;
      this.problem.value = null;
      this.forget();
    });
  }

  /** The text is to be written anew. */
  private forget(): void {
    this.text.value = null;
    this.wrong.value = '';
  }

  /** Saves it. Where somebody else was faster, `meanwhile` tells what changed, and nothing is written. */
  async save(label: string): Promise<boolean> {
    this.problem.value = null;
    this.busy.value = true;
    try {
      const job = await this.send();
      if (!job) return false;
      const ended = await begin(label, Promise.resolve(job));
      if (ended?.status !== 'done') {
        if (ended && problemOf(ended)?.code === 'changed') await this.reload();
        return false;
      }
      const mine = this.mine.value;
      if (mine) this.base.value = { settings: mine, etag: null };
      await this.reload();
      return true;
    } finally {
      this.busy.value = false;
    }
  }

  private async send(again = true): Promise<JobView | null> {
    const [settings, etag] = [this.mine.value, this.base.value?.etag];
    try {
      return await body(
        ask<JobView>('PUT', instancePath(this.key), { body: settings, ifMatch: etag ?? undefined, wait: WAIT }),
      );
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 412) {
        this.problem.value = asProblem(error);
        return null;
      }
      await this.reload();
      if (this.meanwhile.value.length > 0) return null;
      // Only what the server notes for itself was changed.
      if (again) return this.send(false);
      this.problem.value = error.problem;
      return null;
    }
  }
}
