import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '@millrace/common';

const RUNS_KEPT = 10;

/**
 * A new directory for one run below `root`: `20261121-101905-4711` (UTC, pid), so that two runs never meet. Runs beyond the last
 * ten are removed, unless their process is alive.
 */
export function createRunDirectory(root: string, now: number, pid: number): string {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const stamp = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const runs = readdirSync(root)
    .filter((name) => /^\d{8}-\d{6}-\d+$/.test(name))
    .toSorted();
  for (const name of runs.slice(0, Math.max(0, runs.length - RUNS_KEPT + 1))) {
    if (!isAlive(Number(name.split('-')[2]))) rmSync(join(root, name), { recursive: true, force: true });
  }
  const directory = join(root, `${stamp}-${pid}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}
