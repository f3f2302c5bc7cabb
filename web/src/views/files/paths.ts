// Paths and names in an instance. Names are the instance's: they may be made to mislead.

export function join(folder: string, name: string): string {
  return folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** The folder above. */
export function above(path: string): string {
  const end = path.replace(/\/+$/, '').lastIndexOf('/');
  return end <= 0 ? '/' : path.slice(0, end);
}

export function nameOf(path: string): string {
  return path.replace(/\/+$/, '').split('/').pop() ?? '';
}

/** The folders on the way to a path, each with its name. */
export function crumbs(path: string): { name: string; path: string }[] {
  const names = path.split('/').filter(Boolean);
  return names.map((name, at) => ({ name, path: `/${names.slice(0, at + 1).join('/')}` }));
}

/** What is not seen in a name, or turns the letters around it: controls, marks of direction, spaces without width. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu;

/** A name as it is shown: what would not be seen is written out. */
export function shown(name: string): string {
  return name.replace(UNSEEN, (letter) => {
    const known: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
    return known[letter] ?? `\\u{${letter.codePointAt(0)?.toString(16)}}`;
  });
}

/** Whether a name can be asked for: what was no UTF-8 in it is lost. */
export function isAskable(name: string): boolean {
  return !name.includes('\ufffd');
}

/** Whether something may have that name. */
export function isName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0\ufffd]/.test(name);
}

/** Permissions such as `0644` as `rw-r--r--`. */
export function permissions(mode: string): string {
  const bits = Number.parseInt(mode, 8);
  if (Number.isNaN(bits)) return mode;
  const special: [bit: number, at: number, sign: string][] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ];
  const signs = [...'rwxrwxrwx'].map((sign, at) => (bits & (1 << (8 - at)) ? sign : '-'));
  for (const [bit, at, sign] of special) {
    if (bits & bit) signs[at] = signs[at] === 'x' ? sign : sign.toUpperCase();
  }
  return signs.join('');
}
