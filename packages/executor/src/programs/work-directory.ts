import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive } from '@millrace/common';

const NAME = /^executor-(\d+)-/;

/**
 * A directory of this process's own below `root`; what executors that are no more left there is removed. `root` is this machine's
 * (process ids must mean the same to all that use it).
 */
export async function openWorkDirectory(root: string, executorId: string): Promise<string> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  for (const name of await readdir(root)) {
    const pid = Number(NAME.exec(name)?.[1]);
    if (Number.isInteger(pid) && !isAlive(pid)) await rm(join(root, name), { recursive: true, force: true });
  }
  const dir = join(root, `executor-${process.pid}-${executorId}`);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return dir;
}
