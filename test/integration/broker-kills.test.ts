// Kafka itself is shut down, killed, and away for a minute, in the middle of transactions, and started again on its data.
import { expect, it } from '@jest/globals';
import { randomInt, seededRandom } from '@millrace/common';
import { directoryLogFiles } from '../../packages/driver/src/application/log/log-files.ts';
import { recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import type { JavaKafkaNode } from '../brokers/java-kafka.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure, seconds, spread } from '../support/figure.ts';
import { seedOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { useJavaKafka } from '../support/use-java-kafka.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const TIMEOUT_MS = LONG ? 1_800_000 : 180_000;
/** From Kafka's start to the next batch; on a busy machine as long as Kafka took to start just before. */
const PAUSE_MS_MAX = 5_000;
const AWAY_MS = 60_000;
const WAITS = /wait for Kafka|no answer from Kafka/;

// A killed broker counts as alive until its session is over (9 s), and is refused so long when it comes back (DUPLICATE_BROKER_REGISTRATION).
const SHORT_SESSION = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' };

const { kafka, suite } = await useJavaKafka(1, { heapMb: 384, properties: SHORT_SESSION });
const long = LONG ? it : it.skip;

/** The only one. */
function onlyNode(): JavaKafkaNode {
  const [node] = kafka.nodes;
  if (node === undefined) throw new Error('there is no Kafka');
  return node;
}

/** How Kafka ends, one after the other. */
const ROUNDS = LONG ? 5 : 1;
const ENDS = Array.from({ length: ROUNDS }, () => ['shutDown', 'kill'] as const).flat();
/** There is work at each of them, however long the one before took. */
const BATCHES_EACH = 10;

suite('every record is seen once by readers of what is committed', () => {
  it(
    `when Kafka is shut down, and killed, in the middle of transactions and started again (${ENDS.length} times)`,
    async () => {
      const seed = seedOf('ends of Kafka');
      const random = seededRandom(seed);
      const broker = onlyNode();
      /** ms that Kafka took to start, and from then to the next batch. */
      const restarts: {
        readonly end: (typeof ENDS)[number];
        readonly startMs: number;
        readonly pauseMs: number;
      }[] = [];
      const disturb = async ({ job, more }: OnceRun): Promise<void> => {
        for (const end of ENDS) {
          await more(BATCHES_EACH);
          // Tasks write all the time: each millisecond is in the middle of some step of their transactions.
          await new Promise((resolve) => setTimeout(resolve, randomInt(random, 300)));
          await broker[end]();
          const before = job.batches.length;
          const at = performance.now();
          await broker.start();
          const startedAt = performance.now();
          await until('a batch after it', () => job.batches.length > before, 240_000);
          restarts.push({ end, startMs: startedAt - at, pauseMs: performance.now() - startedAt });
        }
      };
      await everyRecordOnce({
        kafka,
        batches: BATCHES_EACH,
        timeoutMs: LONG ? 300_000 : 60_000,
        // A busy machine takes its time to start Kafka again.
        conf: { kafkaTimeout: '5m', taskAttemptsMax: 20 },
        disturb,
      });
      const pauses = (how: (typeof ENDS)[number]): string =>
        spread(restarts.filter(({ end }) => end === how).map(({ pauseMs }) => pauseMs));
      const starts = spread(restarts.map(({ startMs }) => startMs));
      figure(
        14,
        `next batch after Kafka had started: shut down ${pauses('shutDown')}, killed ${pauses('kill')}; Kafka itself took ${starts}; seed ${seed}, ${(ENDS.length + 1) * BATCHES_EACH * 100} records, 0 lost, 0 twice`,
      );
      const slow = restarts.filter(({ startMs, pauseMs }) => pauseMs > Math.max(PAUSE_MS_MAX, startMs));
      expect(slow).toEqual([]);
    },
    TIMEOUT_MS,
  );

  long(
    'when Kafka is away for a minute: the application waits, says so, and makes one batch of what it has missed',
    async () => {
      const broker = onlyNode();
      let measured = '';
      const disturb = async ({ cluster, application, job, logDirectory }: OnceRun): Promise<void> => {
        const epochOf = (): number => recoverLog(directoryLogFiles(logDirectory)).epoch;
        const epoch = epochOf();
        const at = performance.now();
        await broker.kill();
        const before = job.batches.length;
        await until('a word about it', () => WAITS.test(job.notices), 55_000);
        const toldMs = performance.now() - at;
        await new Promise((resolve) => setTimeout(resolve, at + AWAY_MS - performance.now()));
        expect(await cluster.status(application)).toMatchObject({
          state: 'RUNNING',
          lastNotice: { level: 'warn', text: expect.stringMatching(WAITS) },
        });
        expect(job.batches.length).toBeLessThanOrEqual(before + 1);
        await broker.start();
        const startedAt = performance.now();
        const awayMs = startedAt - at;
        const known = job.batches.length;
        await until('batches', () => job.batches.length > known + 5, 60_000);
        const after = job.batches.slice(known);
        const catchUps = after.filter(({ coalescedIntervals }) => coalescedIntervals > 50);
        expect(catchUps.length).toBeLessThanOrEqual(1);
        expect(Math.max(...after.map(({ records }) => records))).toBeLessThanOrEqual(100);
        // The same run: nothing has died.
        expect(epochOf()).toBe(epoch);
        measured = `away for ${seconds(awayMs)}; told after ${seconds(toldMs)}; ${catchUps.length} batch for ${catchUps[0]?.coalescedIntervals} missed intervals, no other run`;
      };
      await everyRecordOnce({ kafka, batches: 60, timeoutMs: 120_000, disturb });
      figure(16, `${measured}; 6000 records, 0 lost, 0 twice`);
    },
    TIMEOUT_MS,
  );
});
