// Brokers of a cluster of three are shut down, and killed, in the middle of transactions: always the one that leads the output then.
import { expect, it } from '@jest/globals';
import { randomInt, seededRandom } from '@millrace/common';
import type { JavaKafkaNode } from '../brokers/java-kafka.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure, spread } from '../support/figure.ts';
import { seedOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { useJavaKafka } from '../support/use-java-kafka.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const TIMEOUT_MS = LONG ? 1_800_000 : 240_000;
const NODES = 3;
// A killed broker leads until its session is over.
const SESSION_MS = 3_000;
const SHORT_SESSION = {
  'broker.session.timeout.ms': String(SESSION_MS),
  'broker.heartbeat.interval.ms': '500',
};
/** From the end of the leader to three more batches, beside the election; on a busy machine as long as a broker takes to start. */
const PAUSE_MS_MAX = 5_000;
const BATCHES_AFTER = 3;

/** How brokers end, one after the other. */
const ROUNDS = LONG ? 5 : 1;
const ENDS = Array.from({ length: ROUNDS }, () => ['shutDown', 'kill'] as const).flat();
/** There is work at each of them, however long the one before took. */
const BATCHES_EACH = 10;

const { kafka, suite } = await useJavaKafka(NODES, { heapMb: 320, properties: SHORT_SESSION });

async function leaderOf(topic: string): Promise<JavaKafkaNode> {
  return until(
    `a leader of ${topic}-0`,
    async () => {
      const [found] = await kafka.client.topics([topic]);
      return kafka.nodes.find(({ nodeId }) => nodeId === found?.partitions[0]?.leaderId);
    },
    60_000,
  );
}

suite('every record is seen once by readers of what is committed', () => {
  it(
    `when the broker that leads the output is shut down, and killed, and comes back (${ENDS.length} times)`,
    async () => {
      const seed = seedOf('ends of leading brokers');
      const random = seededRandom(seed);
      let out = '';
      const pauses: {
        readonly end: (typeof ENDS)[number];
        readonly startMs: number;
        readonly pauseMs: number;
      }[] = [];
      const disturb = async ({ job, more }: OnceRun): Promise<void> => {
        for (const end of ENDS) {
          await more(BATCHES_EACH);
          const leader = await leaderOf(out);
          // Tasks write all the time: each millisecond is in the middle of some step of their transactions.
          await new Promise((resolve) => setTimeout(resolve, randomInt(random, 300)));
          await leader[end]();
          const at = performance.now();
          const before = job.batches.length;
          // One that had done its work by then may still be committed: not all of them can be such.
          await until('batches without it', () => job.batches.length >= before + BATCHES_AFTER, 120_000);
          const pauseMs = performance.now() - at;
          const startAt = performance.now();
          await leader.start();
          pauses.push({ end, startMs: performance.now() - startAt, pauseMs });
        }
      };
      await everyRecordOnce({
        kafka: {
          brokers: kafka.brokers,
          client: kafka.client,
          topic: async (prefix, partitions) => {
            const topic = await kafka.topic(prefix, partitions);
            if (prefix === 'once-out') out = topic;
            return topic;
          },
        },
        batches: BATCHES_EACH,
        timeoutMs: LONG ? 300_000 : 90_000,
        conf: { kafkaTimeout: '5m', taskAttemptsMax: 20 },
        disturb,
      });
      const spreadOf = (how: (typeof ENDS)[number]): string =>
        spread(pauses.filter(({ end }) => end === how).map(({ pauseMs }) => pauseMs));
      figure(
        14,
        `${NODES} brokers, the leader of the output ends: ${BATCHES_AFTER} batches without it after ${spreadOf('shutDown')} when shut down, ${spreadOf('kill')} when killed (sessions of ${SESSION_MS / 1000} s); seed ${seed}, ${(ENDS.length + 1) * BATCHES_EACH * 100} records, 0 lost, 0 twice`,
      );
      const slow = pauses.filter(
        ({ startMs, pauseMs }) => pauseMs > SESSION_MS + Math.max(PAUSE_MS_MAX, startMs),
      );
      expect(slow).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
