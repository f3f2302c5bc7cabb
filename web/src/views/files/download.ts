// Downloads: the browser takes them from the node to the disk.
import { asProblem } from '../../api/client';
import type { InstanceKey } from '../../api/types';
import { fail } from '../../components/toasts';
import { words } from '../../i18n/files';
import { nameOf, shown } from './paths';
import { addressOf, look } from './requests';

/** Downloads a file, or a folder as an archive. What stands against it is told before: a browser does not say it. */
export async function download(key: InstanceKey, path: string, isFolder = false): Promise<void> {
  try {
    await look(key, path);
  } catch (error) {
    fail(words.value.notDownloaded(shown(nameOf(path) || path)), asProblem(error));
    return;
  }
  const link = document.createElement('a');
  link.href = addressOf(key, path, isFolder ? { archive: 'tar' } : {});
  link.download = ''; // the server says the name
  link.click();
}
