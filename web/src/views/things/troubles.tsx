// Which clouds did not give their list, and why. The other ones' things are shown meanwhile.
import type { Problem } from '../../api/types';
import { clouds } from '../../app/store';
import { Button } from '../../components/button';
import { Dialog, show } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { Failure } from '../../components/states';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { loadFrom, type Source } from './load';

export function Troubles<T>({ from, only }: { from: Source<T>; only?: string }) {
  const t = words.value;
  const lists = [...from.lists.value].filter(
    ([name, { problem, loading }]) => problem && !loading && (!only || name === only),
  );
  if (lists.length === 0) return null;
  const again = (name: string) => {
    const cloud = clouds.value.find((one) => one.name === name);
    if (cloud) void loadFrom(from, cloud);
  };
  return (
    <ul class="stack troubles" role="status">
      {lists.map(([name, { problem, rows }]) => (
        <li key={name} class="row">
          <Icon name={problem?.status === 403 ? 'shield' : 'triangle-alert'} class="warn" />
          <span class="grow">
            <strong>{rows.length > 0 ? t.oldFrom(name) : t.failedFrom(name)}</strong> {problem?.detail}
            {problem?.remedy && <span class="quiet small"> {problem.remedy}</span>}
          </span>
          {problem?.grant ? (
            <Button onClick={() => explain(name, problem)}>{t.why}</Button>
          ) : (
            <Button icon="refresh-cw" onClick={() => again(name)}>
              {common.value.tryAgain}
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The grant that is missing, to copy. */
function explain(name: string, problem: Problem): void {
  show((close) => (
    <Dialog title={name} close={close} wide>
      <Failure problem={problem} />
    </Dialog>
  ));
}
