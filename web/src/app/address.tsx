// The page's own address, to open on a phone; and how it comes by HTTPS.
import { correction, generate } from 'lean-qr';
import { CopyButton } from '../components/copy';
import { Dialog, show } from '../components/dialog';
import { words } from '../i18n/shell';

export function showAddress(): void {
  show((close) => {
    const t = words.value;
    const address = `${location.origin}/`;
    return (
      <Dialog title={t.address} close={close}>
        <div class="row">
          <a class="grow mono" href={address}>
            {address}
          </a>
          <CopyButton text={address} />
        </div>
        <Code text={address} />
        <p class="quiet">{t.addressHint}</p>
        {location.protocol === 'http:' && (
          <>
            <p>{t.plain}</p>
            <p class="quiet">{t.httpsHow}</p>
            <code>{`https://${location.hostname}/`}</code>
          </>
        )}
      </Dialog>
    );
  });
}

function Code({ text }: { text: string }) {
  const code = generate(text, { minCorrectionLevel: correction.M });
  let dots = '';
  for (let y = 0; y < code.size; y++) {
    for (let x = 0; x < code.size; x++) if (code.get(x, y)) dots += `M${x + 4} ${y + 4}h1v1h-1z`;
  }
  const side = code.size + 8;
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={text}>
      <rect width={side} height={side} fill="#fff" />
      <path d={dots} fill="#000" />
    </svg>
  );
}
