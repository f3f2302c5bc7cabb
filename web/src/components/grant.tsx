// The grant that is missing, to be pasted where an administrator keeps such things.
import type { Missing } from '../api/types';
import { words } from '../i18n/access';
import { CopyButton } from './copy';

/** A rule as `kolaboree.yaml` has it. Quotes keep names with special signs as they are. */
function asYaml({ who, clouds, projects, verbs }: Missing['rule']): string {
  const list = (items: string[]) => `[${items.map((item) => `'${item.replaceAll("'", "''")}'`).join(', ')}]`;
  return `tailnet:\n  access:\n    - who: ${list(who)}\n      clouds: ${list(clouds)}\n      projects: ${list(projects)}\n      verbs: [${verbs.join(', ')}]\n`;
}

export function MissingGrant({ grant }: { grant: Missing }) {
  const t = words.value;
  return (
    <div class="stack">
      <Paste title={t.forPolicy} text={JSON.stringify(grant.policy, null, 2)} />
      <Paste title={t.forFile} text={asYaml(grant.rule)} />
    </div>
  );
}

function Paste({ title, text }: { title: string; text: string }) {
  return (
    <div>
      <div class="heading">
        <span class="small">{title}</span>
        <CopyButton text={text} label={`${words.value.copy}: ${title}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard */}
      <pre class="code" tabIndex={0}>
        {text}
      </pre>
    </div>
  );
}
