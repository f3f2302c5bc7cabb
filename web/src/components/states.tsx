// What a view shows when it has nothing to show: it loads, there is nothing, it failed, or there is no right to it.
import type { ComponentChildren } from 'preact';
import type { Problem } from '../api/types';
import { words } from '../i18n/common';
import { Button } from './button';
import { MissingGrant } from './grant';
import { Icon } from './icon';

export function Loading({ what }: { what?: string }) {
  return (
    <div class="empty" role="status">
      <Icon name="loader-circle" class="spin" />
      <p>{what ?? words.value.loading}</p>
    </div>
  );
}

export function Empty({ icon, title, children }: { icon: string; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** A problem in the server's words, what to do about it, and the grant that is missing. */
export function Failure({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const t = words.value;
  return (
    <div class="problem" role="alert">
      <div class="row">
        <Icon name={problem.status === 403 ? 'shield' : 'circle-alert'} class="bad" />
        <strong class="grow">{problem.detail}</strong>
      </div>
      {problem.remedy && <p>{problem.remedy}</p>}
      {problem.grant && <MissingGrant grant={problem.grant} />}
      {retry && (
        <div>
          <Button icon="refresh-cw" onClick={retry}>
            {t.tryAgain}
          </Button>
        </div>
      )}
    </div>
  );
}
