// Which files can be edited as text without changing what the user does not see.

/** How lines end in it. A field for text knows one way alone. */
type Ends = '\n' | '\r\n';

export type Text = { text: string; ends: Ends };

/** The text of a file; why it cannot be edited, where that is so. */
export function decode(bytes: Uint8Array): Text | 'binary' | 'mixed' {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return 'binary';
  }
  if (text.includes('\0')) return 'binary';
  if (!text.includes('\r')) return { text, ends: '\n' };
  const whole = text.replaceAll('\r\n', '\n');
  const isMixed = whole.includes('\r') || whole.replaceAll('\n', '\r\n') !== text;
  return isMixed ? 'mixed' : { text: whole, ends: '\r\n' };
}

export function encode({ text, ends }: Text): Blob {
  return new Blob([ends === '\n' ? text : text.replaceAll('\n', ends)]);
}
