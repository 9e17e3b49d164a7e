import { readFileSync, rmSync } from 'node:fs';

/** Moments at which a death must cost nothing: where the crash-point tests (test/crash) kill the process that passes them. */
export const CRASH_POINTS = [
  // In the application's host, at its start
  'epoch-taken',
  'before-claim',
  'between-claims',
  // In the host, in the order of a batch
  'before-plan',
  'after-plan',
  'before-tasks',
  'tasks-running',
  'output-done',
  'state-written',
  'before-commit',
  'after-commit',
  'segment-written',
  'segment-named',
  // In a slot, in the order of a sink's task
  'sink-produced',
  'progress-sent',
  'sink-committed',
  // In a slot: a directory of files before, and after, it has its name
  'files-staged',
  'files-placed',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/** "name" or "name:n", the n-th time; "@file": the file says so, and who dies by it removes it first, so that one process dies once. */
export const CRASH_POINT_VARIABLE = 'MILLRACE_CRASH_POINT';

/**
 * A testing aid: ends this process by SIGKILL when its environment, as it was at its start, names this point; see CRASH_POINT_VARIABLE. Without
 * the variable it does nothing.
 */
export const crashPoint: (point: CrashPoint) => void = armed(process.env[CRASH_POINT_VARIABLE], () =>
  process.kill(process.pid, 'SIGKILL'),
);

/** What `crashPoint` is for a value of the variable. */
export function armed(value: string | undefined, die: () => void): (point: CrashPoint) => void {
  if (value === undefined || value === '') return () => undefined;
  const file = value.startsWith('@') ? value.slice(1) : undefined;
  const passed = new Map<string, number>();
  return (point) => {
    const wanted = file === undefined ? value : contentOf(file);
    const [name, hit = '1'] = wanted.split(':');
    if (name !== point) return;
    const hits = (passed.get(wanted) ?? 0) + 1;
    passed.set(wanted, hits);
    if (hits === Number(hit) && (file === undefined || isRemoved(file))) die();
  };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** By this process: of several that try, one succeeds. */
function isRemoved(file: string): boolean {
  try {
    rmSync(file);
    return true;
  } catch {
    return false;
  }
}
