import { readFileSync } from 'node:fs';
import type { TestCluster } from './test-cluster.ts';
import { until } from './until.ts';

/** Wall clock, ms: when the driver has noticed, one by one, that executors are gone. */
export function executorLosses({ driver }: TestCluster): readonly number[] {
  return readFileSync(driver.logFile ?? '', 'utf8')
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const { msg, time } = JSON.parse(line) as { msg: string; time: number | string };
      return msg === 'executor lost' ? [new Date(time).getTime()] : [];
    });
}

/** Does what executors die by, and resolves with the ms until the driver knows of one more loss. */
export async function untilLost(cluster: TestCluster, work: () => void): Promise<number> {
  const before = executorLosses(cluster).length;
  const at = Date.now();
  work();
  const lostAt = await until('the loss of the executor', () => executorLosses(cluster)[before], 30_000, 50);
  return lostAt - at;
}
