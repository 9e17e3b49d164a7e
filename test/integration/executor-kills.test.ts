// Executors are killed at random, again and again, while all of them have tasks of exactly-once outputs.
import { describe, expect, it } from '@jest/globals';
import { randomInt, seededRandom } from '@millrace/common';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { untilLost } from '../support/executor-losses.ts';
import { figure, spread } from '../support/figure.ts';
import { seedOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const KILLS = Number(process.env['MILLRACE_KILLS'] ?? (LONG ? 200 : 4));
/** Of work before each of them, whatever the pace of the machine. */
const BATCHES = 10;
const TIMEOUT_MS = LONG ? 2_400_000 : 180_000;
const DETECTED_MS_MAX = 5_000;

const kafka = useKafkaUnderTest();

describe('every record is seen once by readers of what is committed, also behind a shuffle', () => {
  it(
    `while executors are killed at random (${KILLS} times): each loss is noticed in time, and its tasks run elsewhere`,
    async () => {
      const seed = seedOf('killed executors');
      const random = seededRandom(seed);
      const noticed: number[] = [];
      const recovered: number[] = [];
      let hit = 0;
      const disturb = async ({ cluster, job, more }: OnceRun): Promise<void> => {
        await cluster.startExecutor();
        for (let kill = 0; kill < KILLS; kill++) {
          await more(BATCHES);
          await new Promise((resolve) => setTimeout(resolve, randomInt(random, 300)));
          const [victim] = cluster.executors.splice(randomInt(random, cluster.executors.length), 1);
          const before = job.batches.length;
          const began = performance.now();
          noticed.push(await untilLost(cluster, () => process.kill((victim as ChildCommand).pid, 'SIGKILL')));
          const replaced = cluster.startExecutor();
          await until('a batch without it', () => job.batches.length > before, 60_000);
          recovered.push(performance.now() - began);
          await replaced;
        }
        hit = job.batches.reduce((sum, { failedAttempts }) => sum + failedAttempts, 0);
      };
      await everyRecordOnce({
        kafka,
        batches: BATCHES,
        timeoutMs: LONG ? 600_000 : 90_000,
        disturb,
        env: { ONCE_ROW_MS: '3' },
      });
      figure(
        8,
        `${KILLS} kills (seed ${seed}), ${hit} attempts lost; noticed after ${spread(noticed)}; next batch after ${spread(recovered)}; ${(KILLS + 1) * BATCHES * 100} records, 0 lost, 0 twice`,
      );
      expect(Math.max(...noticed)).toBeLessThan(DETECTED_MS_MAX);
      // Kills of idle executors prove nothing.
      expect(hit).toBeGreaterThan(KILLS / 4);
    },
    TIMEOUT_MS,
  );
});
