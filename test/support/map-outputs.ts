import { readdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Files of map tasks on the disk of the executor with this process id. */
export function mapOutputsOf(pid: number): number {
  const root = join(tmpdir(), `millrace-executor-${userInfo().username}`);
  return readdirSync(root)
    .filter((name) => name.startsWith(`executor-${pid}-`))
    .flatMap((name) => readdirSync(join(root, name), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.parentPath.includes('/shuffle/')).length;
}
