import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { TestCluster } from '../support/test-cluster.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;
const JOBS = fileURLToPath(new URL('../jobs/shipped/', import.meta.url));
const KINDS = ['view', 'click', 'buy'] as const;
/** What each partition holds; record i is "kind:n" with the key "k<i>". */
const PARTITIONS = [
  [0, 1, 2, 3, 4],
  [5, 6, 7, 8],
] as const;

const kafka = useKafkaUnderTest();
let cluster: TestCluster;
let topic: string;

beforeAll(async () => {
  // git ignores node_modules.
  cpSync(join(JOBS, 'vendor'), join(JOBS, 'node_modules'), { recursive: true });
  topic = await kafka.topic('shipped', PARTITIONS.length);
  const records = PARTITIONS.flatMap((numbers, partition) =>
    numbers.map((n, i) => ({ partition, key: `k${i}`, value: `${KINDS[n % 3]}:${n}`, timestamp: 1000 + n })),
  );
  const producer = kafka.client.producer();
  await producer.send(topic, records);
  await producer.close();
  cluster = await TestCluster.start(kafka.brokers, 2);
  kafka.atEnd(() => cluster.close());
}, TIMEOUT_MS);

/** Runs a job of test/jobs/shipped to its end. The function reads a file that it wrote. */
async function resultsOf(job: string): Promise<(suffix?: string) => Readonly<Record<string, unknown>>> {
  const file = join(cluster.directory, `${job}.json`);
  const run = cluster.submit(`shipped/${job}`, {
    SHIPPED_NAME: `shipped-${job}`,
    SHIPPED_TOPIC: topic,
    SHIPPED_RESULT: file,
  });
  const code = await run.exited;
  if (code !== 0) throw new Error(`${job} ended with ${code}\n${run.stderr}\n${run.errors}`);
  return (suffix = '') => JSON.parse(readFileSync(file + suffix, 'utf8')) as Record<string, unknown>;
}

describe('a job that was submitted', () => {
  it(
    'gives what plain arrays give, whatever its lambdas are made of',
    async () => {
      const all: readonly number[] = PARTITIONS.flat();
      const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      const mean = (values: readonly number[]): number => sum(values) / values.length;
      const results = await resultsOf('language-job');
      expect(results()).toEqual({
        shadowed: all.map((n) => n + 4),
        inLoop: [0, 1, 2].map((i) => all.slice(0, 2).map((x) => x + i)),
        makers: [1, 10, 100].map((factor) => sum(all) * factor),
        cycle: all.filter((n) => n % 2 === 0),
        weights: sum(all.map((n) => (n % 2 === 0 ? 1 : 10))),
        mean: PARTITIONS.map(mean),
        variance: PARTITIONS.map((part) => mean(part.map((x) => (x - mean(part)) ** 2))),
        classes: [
          ['0.00 EUR', true, 0],
          ['2.50 EUR', true, 2.5],
        ],
        narrowedThis: all.map((n) => n * 10),
        generator: all.flatMap((n) => Array.from({ length: n % 4 }, (_, i) => i)),
        strings: ['é', '0', 'é'],
        maps: [
          [0, 'v0'],
          [1, 'v1'],
        ],
        curried: [120, 121],
        above: all.filter((n) => n > 5).length,
        dynamic: ['b0', 'b1'],
        sameLambdaTwice: [0, 4, 8],
        pids: expect.any(Number),
        ofHere: false,
      });
    },
    TIMEOUT_MS,
  );

  it(
    'gives what plain arrays give for every action, and what its lambdas share',
    async () => {
      const lengths = PARTITIONS[0].map((n) => `${KINDS[n % 3]}:${n}`.length);
      const all = [...PARTITIONS.flat().map((n) => n * 7), ...lengths, ...lengths];
      const results = await resultsOf('sharing-job');
      const { sampled, ...rest } = results();
      const order = (a: number, b: number): number => (a % 5) - (b % 5) || a - b;
      const counts = new Map<number, number>();
      for (const x of all) counts.set(x % 3, (counts.get(x % 3) ?? 0) + 1);
      expect(rest).toEqual({
        counted: all.length,
        collect: all,
        count: all.length,
        first: all[0],
        take: all.slice(0, 4),
        isEmpty: [false, true],
        reduce: all.reduce((a, b) => a + b),
        fold: Math.max(...all),
        aggregate: all,
        top: all.toSorted((a, b) => b - a).slice(0, 3),
        takeOrdered: all.toSorted(order).slice(0, 3),
        countByValue: [...counts].map(([k, count]) => [[k, 'k'], count]),
        mapAsync: all,
        keyed: all.slice(0, 2).flatMap((x) => [
          [x % 2, x + 1],
          [x % 2, -x - 1],
        ]),
        indexes: [0, 1, 2, 3],
        twoMegabytes: all.map(() => 100_000),
        broadcast: 'c!',
      });
      const [once, again] = sampled as number[][];
      expect(once).toEqual(again);
      expect(results('.2')).toEqual({
        range: expect.objectContaining({ topic, partition: 0, fromOffset: 0, untilOffset: 5 }),
        keys: ['k1=1', 'k2=2', 'k0=5', 'k1=6', 'k2=7', 'k3=8'],
        seen: expect.arrayContaining(
          PARTITIONS.flatMap((numbers, partition) =>
            [0, 1].map((offset) => {
              const n = numbers[offset] as number;
              const value = { kind: KINDS[n % 3], n };
              return { topic, partition, offset, timestamp: 1000 + n, key: `k${offset}`, value, headers: [] };
            }),
          ),
        ),
      });
    },
    TIMEOUT_MS,
  );

  it(
    "names the user's own files and lines when a helper of another file throws",
    async () => {
      const { code, stderr } = await cluster.cli([
        'submit',
        join(JOBS, 'failing-job.ts'),
        '--verbose',
        '--driver',
        cluster.address,
        '--env',
        `KAFKA_BROKERS=${kafka.brokers}`,
        '--env',
        `SHIPPED_TOPIC=${topic}`,
      ]);
      const line = (file: string, text: string): number =>
        readFileSync(join(JOBS, file), 'utf8')
          .split('\n')
          .findIndex((each) => each.includes(text)) + 1;
      const thrown = `lib/risky.ts:${line('lib/risky.ts', 'throw new RangeError')}:11`;
      expect(code).toBe(1);
      expect(stderr).toMatch(/at offset 2 of shipped-.*-1: RangeError: seven is not welcome/);
      expect(stderr).toMatch(new RegExp(`^ *at \\S*${thrown}$`, 'm'));
      expect(stderr).toMatch(new RegExp(`at risky \\(\\S*${thrown}\\)`));
      expect(stderr).toMatch(
        new RegExp(`\\S*failing-job.ts:${line('failing-job.ts', 'const checked')}:23\\)?$`, 'm'),
      );
    },
    TIMEOUT_MS,
  );
});
