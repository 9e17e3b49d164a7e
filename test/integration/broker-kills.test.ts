// Kafka itself is killed in the middle of transactions, and started again on its data.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { randomInt, resolveConfig, seededRandom } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { type JavaKafka, startJavaKafka } from '../brokers/java-kafka.ts';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { until } from '../support/until.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const KILLS = LONG ? 10 : 1;
const TIMEOUT_MS = LONG ? 1_800_000 : 180_000;

// A killed broker counts as alive until its session is over (9 s), and is refused so long when it comes back (DUPLICATE_BROKER_REGISTRATION).
const SHORT_SESSION = { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' };

const jars = await kafkaJars();
const suite = jars.ok ? describe : describe.skip;
const why = jars.ok ? '' : ` (skipped: ${jars.reason})`;

let node: JavaKafka | undefined;
let client: KafkaClient | undefined;

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('there is no Kafka');
  return part;
}

suite(`every record is seen once by readers of what is committed${why}`, () => {
  beforeAll(async () => {
    node = await startJavaKafka({ heapMb: 384, properties: SHORT_SESSION });
    client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: node.brokers }, 'test'));
  }, TIMEOUT_MS);

  afterAll(async () => {
    await client?.close();
    await node?.stop();
  });

  it(
    `when Kafka is killed in the middle of transactions and started again (${KILLS} times)`,
    async () => {
      const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31);
      const random = seededRandom(seed);
      const broker = started(node);
      const kafka = {
        brokers: broker.brokers,
        client: started(client),
        topic: async (prefix: string, partitions: number) => {
          const topic = `${prefix}-${randomUUID()}`;
          await started(client).createTopic(topic, { partitions });
          return topic;
        },
      };
      const pauses: string[] = [];
      const disturb = async ({ job }: OnceRun): Promise<void> => {
        for (let kill = 0; kill < KILLS; kill++) {
          // Tasks write all the time: each millisecond is in the middle of some step of their transactions.
          await new Promise((resolve) => setTimeout(resolve, randomInt(random, 300)));
          const before = job.batches.length;
          const at = Date.now();
          await broker.kill();
          await broker.start();
          const startMs = Date.now() - at;
          await until('a batch after it', () => job.batches.length > before, 240_000);
          pauses.push(`${Date.now() - at} (${startMs} of them until Kafka had started)`);
        }
      };
      await everyRecordOnce({
        kafka,
        batches: LONG ? 400 : 15,
        timeoutMs: LONG ? 300_000 : 60_000,
        // A busy machine takes its time to start Kafka again.
        conf: { kafkaTimeout: '5m', taskAttemptsMax: 20 },
        disturb,
      }).finally(() =>
        process.stderr.write(
          `broker kills: seed ${seed}, from kill to the next batch ${pauses.join(', ')} ms\n`,
        ),
      );
    },
    TIMEOUT_MS,
  );
});
