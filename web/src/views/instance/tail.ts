// The end of a text that comes, with little held of it.

export type Shown = { text: string; shown: number; read: number; isPart: boolean };

/** So many bytes of the end are shown. */
const MOST = 256 * 1024;
/** More than this is not read: such a log is to be downloaded. */
const READ = 32 * 1024 * 1024;

/** Reads it to its end, or as much as is sensible, and keeps the last part. */
export async function tail(response: Response): Promise<Shown> {
  const reader = response.body?.getReader();
  let kept: Uint8Array[] = [];
  let held = 0;
  let read = 0;
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    read += value.length;
    held += value.length;
    kept.push(value);
    while (kept[0] && held - kept[0].length >= MOST) held -= (kept.shift() as Uint8Array).length;
    if (read >= READ) {
      await reader.cancel();
      break;
    }
  }
  const all = new Uint8Array(held);
  let at = 0;
  for (const piece of kept) {
    all.set(piece, at);
    at += piece.length;
  }
  kept = [];
  const end = all.subarray(Math.max(0, held - MOST));
  const isPart = end.length < read;
  const text = new TextDecoder().decode(end);
  // The first line of a part has lost its beginning.
  return { text: isPart ? text.slice(text.indexOf('\n') + 1) : text, shown: end.length, read, isPart };
}
