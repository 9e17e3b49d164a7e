import { deserialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import type { DStream } from '../dstream.ts';
import { ConsumerStrategies } from '../kafka/consumer-strategies.ts';
import { LocationStrategies } from '../kafka/location-strategies.ts';
import type { SqlPool } from '../postgres/sql-client.ts';
import type { PostgresSettings } from '../postgres/write-once.ts';
import type { RDD } from '../rdd.ts';
import { describeOutput } from '../stream/stream-node.ts';
import { StreamingContext } from '../streaming-context.ts';
import { referenceRunner } from '../testing/reference-runner.ts';

const pool = (): SqlPool => {
  throw new Error('nothing connects');
};
const write = (): void => undefined;

function stream(): { readonly ssc: StreamingContext; readonly rows: DStream<string> } {
  const ssc = new StreamingContext({ name: 'job', batchIntervalMs: 1000 });
  const options = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;
  const records = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('in', options),
  );
  return { ssc, rows: records.map((record) => record.value) };
}

const RANGES = [
  { topic: 'in', partition: 1, fromOffset: 5, untilOffset: 9 },
  { topic: 'in', partition: 0, fromOffset: 0, untilOffset: 3 },
];

/** What the tasks of a batch of these ranges are given, by the first output. */
async function settingsOf(
  ssc: StreamingContext,
  ranges = RANGES,
  partitions = 2,
  program = 'p',
): Promise<PostgresSettings> {
  const runner = referenceRunner();
  ssc.internals.attach(runner);
  ssc.internals.graph.outputRun = () => ({ program, taskTimeoutMs: 9_000, log: 'l', lastCommitted: 900 });
  const [output] = ssc.internals.graph.graph.outputs;
  const rdd = { node: { kind: 'rows', partitions: [[]] }, offsetRanges: ranges, partitions };
  await output?.run(rdd as unknown as RDD<unknown>, 1000);
  return deserialize(runner.jobs[0]?.action.value as Uint8Array) as PostgresSettings;
}

describe('toPostgres', () => {
  it('is exactly once, and says so', () => {
    const { ssc, rows } = stream();
    rows.toPostgres('orders', { pool, write });
    expect(ssc.internals.graph.graph.outputs.map(describeOutput)).toEqual([
      'output toPostgres#0 to PostgreSQL as "orders": exactly-once',
    ]);
    expect(ssc.internals.graph.problems).toEqual([]);
  });

  it('keeps offsets straight from a topic, and batches of anything else', async () => {
    const direct = stream();
    direct.rows
      .filter((row) => row !== '')
      .persist()
      .toPostgres('out', { pool, write });
    expect(await settingsOf(direct.ssc)).toMatchObject({
      output: 'out',
      progressTable: 'millrace_progress',
      idleTimeoutMs: 60_000,
      taskTimeoutMs: 9_000,
      log: 'l',
      after: 900,
      ranges: RANGES,
    });
    for (const of of [
      (rows: DStream<string>) => rows.window('3s'),
      (rows: DStream<string>) => rows.union(rows),
      (rows: DStream<string>) => rows.transform((rdd) => rdd),
      (rows: DStream<string>) => rows.distinct(),
    ]) {
      const { ssc, rows } = stream();
      of(rows).toPostgres('out', { pool, write });
      expect(await settingsOf(ssc)).not.toHaveProperty('ranges');
    }
  });

  it('tells plans apart: by ranges, in any order, by the number of partitions, and by the program', async () => {
    const hashOf = async (ranges?: typeof RANGES, partitions?: number, program?: string): Promise<string> => {
      const { ssc, rows } = stream();
      rows.toPostgres('out', { pool, write });
      return (await settingsOf(ssc, ranges, partitions, program)).planHash;
    };
    const same = await hashOf();
    expect(await hashOf(RANGES.toReversed())).toBe(same);
    const [first, second] = RANGES as [(typeof RANGES)[0], (typeof RANGES)[0]];
    expect(await hashOf([first, { ...second, untilOffset: 4 }])).not.toBe(same);
    expect(await hashOf(RANGES, 3)).not.toBe(same);
    expect(await hashOf(RANGES, 2, 'q')).not.toBe(same);
  });

  it.each<[unknown, object, string]>([
    ['', {}, 'needs a name'],
    ['a b', {}, 'needs a name'],
    ['out', { pool: undefined }, 'pool() needs a function'],
    ['out', { write: 'x' }, 'write() needs a function'],
    ['out', { progressTable: 'a; drop table b' }, 'progressTable'],
    ['out', { idleTimeout: 0 }, 'idleTimeout'],
    ['out', { idleTimeouts: 5 }, 'did you mean "idleTimeout"?'],
  ])('%j %j is refused', (name, options, problem) => {
    const { ssc, rows } = stream();
    rows.toPostgres(name as string, { pool, write, ...options });
    expect(ssc.internals.graph.problems.map(({ what }) => what).join()).toContain(problem);
  });

  it('refuses two outputs of one name', () => {
    const { ssc, rows } = stream();
    rows.toPostgres('out', { pool, write });
    rows.toPostgres('out', { pool, write });
    expect(ssc.internals.graph.problems.map(({ what }) => what)).toEqual([
      'there is an output toPostgres("out") already',
    ]);
  });
});
