// The command that copies or moves as the dialog does.
import type { InstanceRow, NewCopy } from '../../api/types';
import { command, nameOf } from '../../app/commands';

export type Action = 'copy' | 'move';

export function transferCommand(row: InstanceRow, action: Action, wanted: NewCopy): string {
  const told = [action, nameOf(row, wanted.snapshot ?? undefined), `${wanted.cloud}:${wanted.name}`];
  if (wanted.mode && wanted.mode !== 'auto') told.push('--mode', wanted.mode);
  if (wanted.instance_only) told.push('--instance-only');
  if (wanted.stateless) told.push('--stateless');
  if (wanted.refresh) told.push('--refresh');
  if (wanted.allow_inconsistent) told.push('--allow-inconsistent');
  if (wanted.pool) told.push('--storage', wanted.pool);
  if (wanted.project !== row.project) told.push('--target-project', wanted.project);
  return command(row.project, ...told);
}
