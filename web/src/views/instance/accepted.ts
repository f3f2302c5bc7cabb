// Requests of dialogs: what is refused is told in the dialog; what was accepted goes on without it.
import type { Signal } from '@preact/signals';
import { asProblem } from '../../api/client';
import type { JobView, Problem } from '../../api/types';

/** The job that was begun; none where the request was refused, and then why is in `problem`. */
export async function accepted(
  problem: Signal<Problem | null>,
  busy: Signal<boolean>,
  request: Promise<{ body: JobView }>,
): Promise<JobView | null> {
  problem.value = null;
  busy.value = true;
  try {
    return (await request).body;
  } catch (error) {
    problem.value = asProblem(error);
    return null;
  } finally {
    busy.value = false;
  }
}
