import { describe, it } from '@jest/globals';
import { underFire as disturbed, type Run } from '../support/under-fire.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;

const kafka = useKafkaUnderTest();
const underFire = (disturb: (run: Run) => Promise<void>): Promise<void> => disturbed(kafka, disturb);

describe('every record is seen once, in order', () => {
  it('when nothing happens', () => underFire(async () => undefined), TIMEOUT_MS);

  it(
    'when an executor is killed in the middle of its tasks',
    () =>
      underFire(async ({ cluster }) => {
        await cluster.kill(cluster.executors[0] as (typeof cluster.executors)[number]);
        await cluster.startExecutor();
      }),
    TIMEOUT_MS,
  );

  it(
    'when the application host is killed',
    () =>
      underFire(async (run) => {
        const { cluster, application } = run;
        const before = run.seen();
        process.kill(await cluster.hostPid(application), 'SIGKILL');
        await until('batches after the restart', () => run.seen() > before);
      }),
    TIMEOUT_MS,
  );

  it(
    'when the driver is killed and started again: the application resumes by itself, the submit reconnects',
    () =>
      underFire(async ({ cluster, job }) => {
        await cluster.kill(cluster.driver);
        const before = job.batches.length;
        await cluster.startDriver();
        await until('batches after the restart', () => job.batches.length > before, 60_000);
      }),
    TIMEOUT_MS,
  );
});
