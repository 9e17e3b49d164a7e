// Skew, and values out of all proportion, on real executors.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestCluster } from '../support/test-cluster.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const IS_LONG = (process.env['MILLRACE_LONG_TESTS'] ?? '') !== '';
const ROWS = IS_LONG ? 1_000_000 : 50_000;
const VALUE_BYTES = IS_LONG ? 200_000_000 : 20_000_000;
const TIMEOUT_MS = IS_LONG ? 1_800_000 : 120_000;
const MEBIBYTE = 1024 * 1024;

const kafka = useKafkaUnderTest();
let topic: string;
let cluster: TestCluster;
beforeAll(async () => {
  topic = await kafka.topic('uneven', 1);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

async function run(rows: number, valueBytes: number, slotMemory: number) {
  cluster = await TestCluster.start(kafka.brokers, 2, [
    '--slots',
    '1',
    '--shuffle-memory-bytes-max',
    `${4 * MEBIBYTE}`,
    '--slot-memory-bytes-max',
    `${slotMemory * MEBIBYTE}`,
  ]);
  const env = {
    UNEVEN_NAME: `uneven-${randomUUID().slice(0, 8)}`,
    UNEVEN_TOPIC: topic,
    UNEVEN_ROWS: `${rows}`,
    UNEVEN_VALUE_BYTES: `${valueBytes}`,
  };
  const job = cluster.submit('uneven-job', env, { batches: 1 });
  const code = await job.exited;
  const lines = job.output.map((text) => JSON.parse(text) as { name: string; value: unknown });
  const printed = Object.fromEntries(lines.map(({ name, value }) => [name, value]));
  return { code, errors: job.errors, printed };
}

describe('uneven data', () => {
  it(
    `is no hindrance: nine of ten of ${ROWS} rows on one key, and a value of ${VALUE_BYTES} bytes`,
    async () => {
      const hot = Array.from({ length: ROWS }, (_, at) => at).filter((at) => at % 10 < 9);
      const { code, errors, printed } = await run(ROWS, VALUE_BYTES, IS_LONG ? 1536 : 512);
      expect({ code, errors }).toEqual({ code: 0, errors: '[]' });
      expect(printed).toEqual({
        sum: hot.reduce((a, b) => a + b, 0),
        groups: ROWS / 10 + 1,
        largest: hot.length,
        pairs: 2 * hot.length + 1,
        first: 1,
        sorted: ROWS,
        product: hot.filter((at) => at < 2_000).length ** 2,
        value: expect.arrayContaining([
          ['a', VALUE_BYTES],
          ['b', 1],
        ]),
      });
    },
    TIMEOUT_MS,
  );
});
