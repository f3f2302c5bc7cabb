// Links that an instance shows: where they lead is told before anybody goes there.
import { confirm } from '../../components/dialog';
import { words } from '../../i18n/terminal';

export async function follow(address: string): Promise<void> {
  const t = words.value;
  let target: URL;
  try {
    target = new URL(address);
  } catch {
    return;
  }
  if (target.protocol !== 'https:' && target.protocol !== 'http:') return;
  const sure = await confirm({
    title: t.followTitle(target.host),
    text: (
      <>
        <p>{t.followText}</p>
        <pre class="code">{target.href}</pre>
      </>
    ),
    action: t.follow,
  });
  if (sure) open(target.href, '_blank', 'noopener,noreferrer');
}
