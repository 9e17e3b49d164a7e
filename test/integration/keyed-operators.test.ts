// Every keyed operator against plain TypeScript, on real executors, also when one of them dies in the middle.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import {
  type Click,
  clickOf,
  type Digest,
  digestOf,
  isOther,
  KEYED_OPERATORS,
  otherOf,
} from '../jobs/keyed-operators.ts';
import { mapOutputsOf } from '../support/map-outputs.ts';
import { type FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const IS_LONG = (process.env['MILLRACE_LONG_TESTS'] ?? '') !== '';
/** Another number: MILLRACE_KEYED_RECORDS. */
const RECORDS = Number(process.env['MILLRACE_KEYED_RECORDS'] ?? (IS_LONG ? 1_000_000 : 20_000));
const PARTITIONS = 4;
const TIMEOUT_MS = IS_LONG ? 3_600_000 : 240_000;
const CHUNK = 10_000;
/** A mebibyte: what is grouped and sorted goes to disk; small map outputs, too. */
const EXECUTOR = ['--slots', '1', '--shuffle-memory-bytes-max', '1048576', '--shuffle-inline-bytes-max', '0'];
const NAMES = Object.keys(KEYED_OPERATORS) as (keyof typeof KEYED_OPERATORS)[];

const kafka = useKafkaUnderTest();
let topic: string;
/** In partition order. */
let clicks: readonly Click[];
let others: readonly Click[];

beforeAll(async () => {
  topic = await kafka.topic('keyed', PARTITIONS);
  const producer = kafka.client.producer();
  for (let from = 0; from < RECORDS; from += CHUNK) {
    const indexes = Array.from({ length: Math.min(CHUNK, RECORDS - from) }, (_, at) => from + at);
    await producer.send(
      topic,
      indexes.map((index) => ({ value: `${index}`, partition: index % PARTITIONS })),
    );
  }
  await producer.close();
  clicks = Array.from({ length: PARTITIONS }, (_, partition) => partition).flatMap((partition) =>
    Array.from({ length: Math.ceil((RECORDS - partition) / PARTITIONS) }, (_, at) =>
      clickOf(`${at * PARTITIONS + partition}`),
    ),
  );
  others = clicks.filter(isOther).map(otherOf);
}, TIMEOUT_MS);

type Made = Readonly<Record<string, readonly Digest[]>>;

/** By the first run: how many executors there are changes nothing. */
let first: Made | undefined;

function submit(cluster: TestCluster, pauseMs = 0): FollowedJob {
  const name = `keyed-${randomUUID().slice(0, 8)}`;
  const env = { KEYED_NAME: name, KEYED_TOPIC: topic, KEYED_PAUSE_MS: `${pauseMs}` };
  return cluster.submit('keyed-operators-job', env, { batches: 1 });
}

async function madeBy(job: FollowedJob): Promise<Made> {
  expect({ code: await job.exited, errors: job.errors, stderr: job.stderr }).toMatchObject({
    code: 0,
    errors: '[]',
  });
  return Object.fromEntries(
    job.output.map((text) => {
      const { name, digests } = JSON.parse(text) as { name: string; digests: readonly Digest[] };
      return [name, digests];
    }),
  );
}

/** What was made has the rows of the model; and their order, where it is promised. */
function expectModel(name: keyof typeof KEYED_OPERATORS, digests: readonly Digest[]): void {
  const operator = KEYED_OPERATORS[name];
  const rows = operator.model(clicks, others);
  const { sum } = digestOf(rows);
  const found = digests.reduce(
    (all, digest) => ({ rows: all.rows + digest.rows, sum: (all.sum + digest.sum) >>> 0 }),
    {
      rows: 0,
      sum: 0,
    },
  );
  expect({ name, ...found }).toEqual({ name, rows: rows.length, sum });
  if (!('isOrdered' in operator)) return;
  let from = 0;
  for (const { rows: length, chain } of digests) {
    expect({ name, chain }).toEqual({ name, chain: digestOf(rows.slice(from, from + length)).chain });
    from += length;
  }
}

describe.each(IS_LONG ? [1, 2, 5] : [2])(
  `keyed operators over ${RECORDS} records on %d executors`,
  (executors) => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await TestCluster.start(kafka.brokers, executors, EXECUTOR);
    }, TIMEOUT_MS);
    afterAll(() => cluster?.close());

    it(
      'give what plain TypeScript gives',
      async () => {
        const made = await madeBy(submit(cluster));
        first ??= made;
        expect(made).toEqual(first);
        expect(Object.keys(made)).toEqual(NAMES);
        for (const name of NAMES) expectModel(name, made[name] ?? []);
      },
      TIMEOUT_MS,
    );

    it(
      'give the very same, row by row, when an executor dies in the middle of a shuffle',
      async () => {
        const job = submit(cluster, 300);
        await until('the first operator', () => job.output.length > 0, TIMEOUT_MS);
        const [victim] = cluster.executors.splice(0, 1) as [ChildCommand];
        const before = mapOutputsOf(victim.pid);
        await until(
          'map outputs of the next one',
          () => mapOutputsOf(victim.pid) > before || job.output.length > 6,
          TIMEOUT_MS,
        );
        await cluster.kill(victim);
        await cluster.startExecutor(EXECUTOR);
        expect(await madeBy(job)).toEqual(first);
      },
      TIMEOUT_MS,
    );
  },
);
