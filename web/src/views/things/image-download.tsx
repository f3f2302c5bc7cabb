// An image as a file, or as two where it is in two.
import { asProblem, problemOf, url } from '../../api/client';
import { type Image, imageName } from '../../api/things';
import { Button } from '../../components/button';
import { Dialog, show } from '../../components/dialog';
import { Icon } from '../../components/icon';
import { fail } from '../../components/toasts';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/things';
import { imagePath } from './image-path';
import type { Placed } from './load';

/** How long the node may take to say how it is kept, in milliseconds. */
const PATIENCE = 60_000;

/** Downloads it. What stands against it is told before: a browser does not say it. */
export async function download(row: Placed<Image>): Promise<void> {
  const address = imagePath(row, 'export');
  const ask = (method: string, signal: AbortSignal) => fetch(address, { method, credentials: 'omit', signal });
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const { ok, status } = await ask('HEAD', stop.signal);
    if (ok) return save(address);
    if (status === 409) return void show((close) => <Parts row={row} close={close} />);
    // A refusal of this kind has no words; the same request for the content has.
    const refused = await ask('GET', stop.signal);
    if (!refused.ok) fail(words.value.notDownloaded(imageName(row.thing)), await problemOf(refused));
  } catch (error) {
    fail(words.value.notDownloaded(imageName(row.thing)), asProblem(error));
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

function save(address: string): void {
  const link = document.createElement('a');
  link.href = address;
  link.download = ''; // the server says the name
  link.click();
}

function Parts({ row, close }: { row: Placed<Image>; close: () => void }) {
  const t = words.value;
  return (
    <Dialog
      title={t.inTwo(imageName(row.thing))}
      close={close}
      actions={<Button onClick={close}>{common.value.close}</Button>}
    >
      <p>{t.inTwoMore}</p>
      <div class="row">
        {(['metadata', 'rootfs'] as const).map((part) => (
          <a key={part} class="button" href={url(imagePath(row, 'export'), { part })} download="">
            <Icon name="download" />
            {t.parts[part]}
          </a>
        ))}
      </div>
    </Dialog>
  );
}
