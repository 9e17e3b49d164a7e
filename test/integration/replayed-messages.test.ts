// Messages between driver and executors come twice, late, and in another order.
import { describe, expect, it } from '@jest/globals';
import { seededRandom } from '@millrace/common';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure } from '../support/figure.ts';
import { ReplayingLink } from '../support/replaying-link.ts';
import { seedOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
/** Before the link is there, and behind it. */
const FIRST_BATCHES = 4;
const BATCHES = LONG ? 1_000 : 40;
const RECORDS = (FIRST_BATCHES + BATCHES) * 100;
const TIMEOUT_MS = LONG ? 1_200_000 : 180_000;

const kafka = useKafkaUnderTest();

describe('every record is seen once by readers of what is committed, also behind a shuffle', () => {
  it(
    'when launches and results come twice, late and out of order',
    async () => {
      const seed = seedOf('replayed messages');
      let link: ReplayingLink | undefined;
      const disturb = async ({ cluster, job, more, seen }: OnceRun): Promise<void> => {
        const direct = cluster.executors.splice(0);
        link = await ReplayingLink.start(cluster.address, seededRandom(seed));
        for (let executor = 0; executor < 2; executor++)
          await cluster.startExecutor(['--driver', link.address]);
        await Promise.all(direct.map((executor) => executor.stop(20_000)));
        await more(BATCHES);
        await until('all records', async () => (await seen()) >= RECORDS, LONG ? 900_000 : 90_000);
        // Nobody has failed, and nothing has run in vain for the driver.
        expect(job.batches.reduce((sum, { failedAttempts }) => sum + failedAttempts, 0)).toBe(0);
      };
      try {
        await everyRecordOnce({ kafka, batches: FIRST_BATCHES, timeoutMs: 60_000, disturb });
      } finally {
        await link?.close();
      }
      const { launchesAgain, ranAgain, resultsAgain, resultsOutOfOrder } = link?.tally ?? {};
      figure(
        24,
        `${launchesAgain} launches twice (${ranAgain} of them ran again, 0 counted), ${resultsAgain} results twice, ${resultsOutOfOrder} out of order; seed ${seed}, ${RECORDS} records, 0 lost, 0 twice`,
      );
      for (const count of [launchesAgain, resultsAgain, resultsOutOfOrder])
        expect(count).toBeGreaterThan(BATCHES / 2);
    },
    TIMEOUT_MS,
  );
});
