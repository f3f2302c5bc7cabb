// The uploads under way, and those that failed.
import type { InstanceKey } from '../../api/types';
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import { bytes, count } from '../../i18n/format';
import { shown } from './paths';
import {
  cancel,
  cancelAll,
  dismiss,
  done,
  failed,
  isBusy,
  isOf,
  retry,
  running,
  sent,
  total,
  type Upload,
  waiting,
} from './queue';

/** How many failures are shown at once. */
const MOST = 20;

export function Uploads({ of }: { of: InstanceKey }) {
  const t = words.value;
  const lost = failed.value;
  if (!isBusy.value && lost.length === 0) return null;
  const isHere = isOf(of);
  return (
    <section class="card stack uploads" aria-label={t.uploads}>
      {isBusy.value && (
        <>
          <div class="heading">
            <h3>
              {t.progress(
                count(done.value.files),
                count(total.value.files),
                bytes(sent.value),
                bytes(total.value.bytes),
              )}
            </h3>
            <Button icon="x" onClick={cancelAll}>
              {t.cancelAll}
            </Button>
          </div>
          <ul class="stack tight">
            {running.value.map((one) => (
              <Running key={one.id} one={one} isHere={isHere(one)} />
            ))}
          </ul>
          {waiting.value.length > 0 && <p class="quiet small">{t.waiting(count(waiting.value.length))}</p>}
        </>
      )}
      {lost.length > 0 && (
        <>
          <div class="heading">
            <h3>{t.failed(lost.length)}</h3>
            <div class="row">
              <Button icon="rotate-cw" onClick={() => retry(lost)}>
                {t.retryAll}
              </Button>
              <Button onClick={() => dismiss(lost)}>{common.value.dismiss}</Button>
            </div>
          </div>
          <ul class="stack tight" role="alert">
            {lost.slice(0, MOST).map((one) => (
              <li key={one.id} class="row">
                <Icon name="circle-alert" class="bad" />
                <span class="grow">
                  <Name one={one} isHere={isHere(one)} />
                  <span class="small"> {one.problem?.detail}</span>
                  {one.problem?.remedy && <span class="small quiet"> {one.problem.remedy}</span>}
                </span>
                <Button
                  kind="plain"
                  icon="rotate-cw"
                  label={t.retry(shown(one.file.name))}
                  onClick={() => retry([one])}
                />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Name({ one, isHere }: { one: Upload; isHere: boolean }) {
  return (
    <bdi class="mono">
      {isHere ? '' : `${one.key.cloud}/${one.key.name}:`}
      {shown(one.path)}
    </bdi>
  );
}

function Running({ one, isHere }: { one: Upload; isHere: boolean }) {
  const t = words.value;
  const { file, sent } = one;
  const isSent = sent.value >= file.size;
  return (
    <li class="upload">
      <span class="grow">
        <Name one={one} isHere={isHere} />
      </span>
      <span class="small quiet number">{isSent ? t.finishing : `${bytes(sent.value)} / ${bytes(file.size)}`}</span>
      <Button kind="plain" icon="x" label={t.cancelOne(shown(file.name))} onClick={() => cancel(one)} />
      <progress
        class="progress"
        aria-label={shown(file.name)}
        max={Math.max(file.size, 1)}
        value={isSent ? undefined : sent.value}
      />
    </li>
  );
}
