// What is there already where an upload goes: it is asked about before anything is replaced.
import { ApiError } from '../../api/client';
import type { InstanceKey } from '../../api/types';
import { Button } from '../../components/button';
import { Dialog, show } from '../../components/dialog';
import { words as common } from '../../i18n/common';
import { words } from '../../i18n/files';
import type { Given } from './gather';
import { above, join, nameOf, shown } from './paths';
import { list } from './requests';

/** What of it is to be uploaded; nothing where the user wants none of it. */
export async function settle(key: InstanceKey, folder: string, given: Given): Promise<Given | null> {
  const there = new Existing(key);
  const taken = new Set<string>();
  for (const { path } of given.files) if (await there.has(join(folder, path))) taken.add(path);
  const folders: string[] = [];
  for (const path of given.folders) if (!(await there.has(join(folder, path)))) folders.push(path);
  if (taken.size === 0) return { files: given.files, folders };
  const wish = await choose([...taken], given.files.length);
  if (!wish) return null;
  return { files: wish === 'replace' ? given.files : given.files.filter(({ path }) => !taken.has(path)), folders };
}

/** Which paths there are. A folder is looked at once, and only where those above it are there. */
class Existing {
  #known = new Map<string, Promise<Set<string>>>();

  constructor(private readonly key: InstanceKey) {}

  async has(path: string): Promise<boolean> {
    return (await this.#names(above(path))).has(nameOf(path));
  }

  #names(folder: string): Promise<Set<string>> {
    const known = this.#known.get(folder) ?? this.#look(folder);
    this.#known.set(folder, known);
    return known;
  }

  async #look(folder: string): Promise<Set<string>> {
    if (folder !== '/' && this.#known.has(above(folder)) && !(await this.has(folder))) return new Set();
    try {
      const { entries } = await list(this.key, folder);
      return new Set(entries.map(({ name }) => name));
    } catch (error) {
      // No folder: nothing is in the way, or the upload itself is told what is.
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) return new Set();
      throw error;
    }
  }
}

function choose(taken: string[], all: number): Promise<'replace' | 'skip' | null> {
  return new Promise((answer) => {
    show((close) => {
      const end = (wish: 'replace' | 'skip' | null) => {
        close();
        answer(wish);
      };
      const t = words.value;
      const some = taken.length > 8 ? taken.slice(0, 8) : taken;
      return (
        <Dialog
          title={t.thereTitle(taken.length, all)}
          close={() => end(null)}
          actions={
            <>
              <Button onClick={() => end(null)}>{common.value.cancel}</Button>
              {taken.length < all && <Button onClick={() => end('skip')}>{t.skip(taken.length)}</Button>}
              <Button kind="danger" onClick={() => end('replace')}>
                {t.replace(taken.length)}
              </Button>
            </>
          }
        >
          <ul class="mono">
            {some.map((path) => (
              <li key={path}>
                <bdi>{shown(path)}</bdi>
              </li>
            ))}
            {some.length < taken.length && <li>… +{taken.length - some.length}</li>}
          </ul>
        </Dialog>
      );
    });
  });
}
