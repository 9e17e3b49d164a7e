import { relative } from 'node:path';
import { textTable } from '../render/text-table.ts';
import type { ChildCommand } from './child-command.ts';

/** What runs, a line each: name, pid, what it listens to or does, and where its log is. */
export function processTable(
  children: readonly ChildCommand[],
  roles: Readonly<Record<string, string>>,
  cwd: string,
): string[] {
  return textTable(
    [{ head: 'PROCESS' }, { head: 'PID', numeric: true }, { head: 'WHERE' }, { head: 'LOG' }],
    children.map((child) => [
      child.name,
      String(child.pid),
      roles[child.name] ?? '',
      child.logFile === undefined ? '' : relative(cwd, child.logFile),
    ]),
  );
}
