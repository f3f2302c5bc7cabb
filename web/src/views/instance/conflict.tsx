// What somebody else has changed since the settings were read. The user's changes stay, and can be put upon it.
import { Button } from '../../components/button';
import { Icon } from '../../components/icon';
import { words } from '../../i18n/instance-settings';
import type { Draft } from './draft';
import { type Difference, placeName } from './settings';

/** Differences, a line each. */
export function Changes({ changes, both }: { changes: Difference[]; both?: Set<string> }) {
  const t = words.value;
  return (
    <div class="table-scroll">
      <table class="table stacked">
        <thead>
          <tr>
            <th scope="col">{t.setting}</th>
            <th scope="col">{t.before}</th>
            <th scope="col">{t.after}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => {
            const name = placeName(change.place);
            return (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                  {both?.has(name) && <div class="warn small">{t.changedByBoth}</div>}
                </th>
                <Value label={t.before} text={change.before} />
                <Value label={t.after} text={change.after} />
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Value({ label, text }: { label: string; text?: string }) {
  const t = words.value;
  const isThere = text !== undefined && text !== '';
  return (
    <td class={isThere ? 'mono value' : 'quiet'} data-label={label}>
      {isThere ? text : text === undefined ? t.notSet : t.emptyValue}
    </td>
  );
}

type Props = {
  draft: Draft;
  label: string;
  /** Called once the user's changes are saved. */
  saved?: () => void;
  /** Gives the user's changes up. */
  discard?: () => void;
};

export function Conflict({ draft, label, saved, discard = () => draft.discard() }: Props) {
  const t = words.value;
  const meanwhile = draft.meanwhile.value;
  if (meanwhile.length === 0) return null;
  const mine = new Set(draft.changes.value.map(({ place }) => placeName(place)));
  const both = new Set(meanwhile.map(({ place }) => placeName(place)).filter((name) => mine.has(name)));
  const applyAnew = () => {
    draft.rebase();
    void draft.save(label).then((done) => done && saved?.());
  };
  return (
    <section class="problem" role="alert">
      <div class="row">
        <Icon name="triangle-alert" class="warn" />
        <strong class="grow">{t.changedMeanwhile}</strong>
      </div>
      <Changes changes={meanwhile} both={both} />
      <p>{both.size > 0 ? t.yoursWins : t.yoursFits}</p>
      <div class="row">
        <Button kind="primary" busy={draft.busy.value} disabled={draft.busy.value} onClick={applyAnew}>
          {t.applyAnew}
        </Button>
        <Button onClick={() => draft.rebase()}>{t.editOn}</Button>
        <Button kind="danger" onClick={discard}>
          {t.takeTheirs}
        </Button>
      </div>
    </section>
  );
}
