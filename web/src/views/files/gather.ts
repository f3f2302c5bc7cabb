// What the user has picked or dropped: files with their paths below where they go, and folders that are empty.

export type Given = { files: { file: File; path: string }[]; folders: string[] };

export function fromInput(list: FileList): Given {
  const files = [...list].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
  return { files, folders: [] };
}

/** Whether something that can be uploaded is dragged. */
export function hasFiles(data: DataTransfer | null): boolean {
  return data?.types.includes('Files') ?? false;
}

/** What was dropped. The entries have to be taken at once: after the event they are gone. */
export function fromDrop(data: DataTransfer): Promise<Given> {
  const given: Given = { files: [], folders: [] };
  const walks = [...data.items].map((item) => {
    const entry = item.webkitGetAsEntry?.();
    if (entry) return walk(entry, '', given);
    const file = item.getAsFile();
    if (file) given.files.push({ file, path: file.name });
    return undefined;
  });
  return Promise.all(walks).then(() => given);
}

async function walk(entry: FileSystemEntry, folder: string, given: Given): Promise<void> {
  const path = `${folder}${entry.name}`;
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    given.files.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  let isEmpty = true;
  for (;;) {
    // It gives a part of them each time.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) break;
    isEmpty = false;
    for (const inside of some) await walk(inside, `${path}/`, given);
  }
  if (isEmpty) given.folders.push(path);
}
