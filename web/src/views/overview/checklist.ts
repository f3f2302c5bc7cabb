// The checklist: from the tailnet to each cloud, with what to do about what is wrong.
import type { CloudView, NodeView } from '../../api/types';
import { moment, relative } from '../../i18n/format';
import { words } from '../../i18n/overview';

export type Light = 'good' | 'bad' | 'warn' | 'unknown';

export type Check = { name: string; light: Light; detail?: string; remedy?: string };

export type CloudCheck = Check & { stages: { name: string; light: Light }[] };

/** A key that expires sooner than this is to be watched, in milliseconds. */
const SOON = 14 * 86_400_000;

export function nodeChecks(node: NodeView | null, now: number): Check[] {
  const t = words.value;
  if (!node) return [{ name: t.node, light: 'unknown' }];
  const isIn = node.state === 'Running';
  return [
    {
      name: t.node,
      light: isIn ? 'good' : 'bad',
      detail: isIn ? node.health.join('; ') || undefined : [node.state, ...node.reasons].join(': '),
      remedy: isIn ? undefined : t.nodeRemedy,
    },
    keyCheck(node, now),
    { name: t.ui, light: 'good' },
  ];
}

function keyCheck(node: NodeView, now: number): Check {
  const t = words.value;
  const expires = moment(node.key_expires);
  if (!expires) return { name: t.key, light: 'good' };
  const left = expires.getTime() - now;
  if (left <= 0) return { name: t.keyExpired, light: 'bad', remedy: t.keyRemedy };
  const name = t.keyFor(relative(expires, now));
  return left < SOON ? { name, light: 'warn', remedy: t.keyRemedy } : { name, light: 'good' };
}

const STAGES = ['netmap', 'tcp', 'tls', 'api'] as const;

export function cloudCheck({ name, kind, health }: CloudView): CloudCheck {
  const t = words.value;
  const failed = health.failed_at ? (STAGES as readonly string[]).indexOf(health.failed_at) : -1;
  const isKnown = health.reachable !== null && health.reachable !== undefined;
  const shown = kind === 'tcp' ? STAGES.slice(0, 2) : STAGES;
  const stages = shown.map((stage, at): { name: string; light: Light } => {
    const light = !isKnown ? 'unknown' : failed < 0 || at < failed ? 'good' : at === failed ? 'bad' : 'unknown';
    return { name: t.stages[stage], light: health.failed_at === 'other' ? 'unknown' : light };
  });
  if (kind !== 'tcp') {
    const light = health.trusted === true ? 'good' : health.trusted === false ? 'bad' : 'unknown';
    stages.push({ name: t.stages.trust, light: health.reachable ? light : 'unknown' });
  }
  if (!isKnown) return { name, light: 'unknown', stages };
  if (!health.reachable) {
    const stage = health.failed_at ?? 'other';
    return { name, light: 'bad', detail: health.error ?? undefined, remedy: t.stageRemedies[stage], stages };
  }
  if (health.trusted === false) {
    return { name, light: 'bad', detail: t.notTrusted, remedy: t.stageRemedies.trust, stages };
  }
  return { name, light: 'good', stages };
}

/** The checklist as text, to be sent to who can help. */
export function asText(checks: (Check | CloudCheck)[]): string {
  const t = words.value;
  const lines = checks.map((check) => {
    const stages = 'stages' in check ? check.stages.map(({ name, light }) => `${name}: ${t.lights[light]}`) : [];
    const rest = [...(stages.length > 0 ? [stages.join(', ')] : []), check.detail, check.remedy && `→ ${check.remedy}`];
    return [`[${t.lights[check.light]}] ${check.name}`, ...rest.filter(Boolean)].join('\n    ');
  });
  return `${lines.join('\n')}\n`;
}
