// What a caller sees who has no right: who they are, and the grant to paste.
import type { Problem } from '../api/types';
import { Failure } from '../components/states';
import { words } from '../i18n/shell';
import { load } from './store';

export function Refused({ problem }: { problem: Problem }) {
  const t = words.value;
  const caller = problem.caller;
  return (
    <div class="stack">
      <h1>{t.noRight}</h1>
      {caller && (
        <div class="card stack">
          <p>{t.youAre(caller.user?.login ?? caller.node.id, caller.node.name)}</p>
          {caller.tags.length > 0 && <p>{t.tags(caller.tags.join(', '))}</p>}
        </div>
      )}
      <Failure problem={problem} retry={() => void load()} />
    </div>
  );
}
