// What concerns the whole page: the connection is lost, another build is there.
import { Button } from '../components/button';
import { Icon } from '../components/icon';
import { words } from '../i18n/shell';
import { link, me, outdated } from './store';

export function Notices() {
  const t = words.value;
  return (
    <div class="notices" role="status">
      {link.value === 'lost' && (
        <div class="notice bad">
          <Icon name="wifi-off" />
          <span class="grow">{t.reconnecting}</span>
        </div>
      )}
      {outdated.value && (
        <div class="notice">
          <Icon name="refresh-cw" />
          <span class="grow">{t.outdated}</span>
          <Button onClick={() => location.reload()}>{t.reload}</Button>
        </div>
      )}
      {me.value?.development && (
        <div class="notice">
          <Icon name="triangle-alert" />
          <span class="grow">{t.development}</span>
        </div>
      )}
    </div>
  );
}
