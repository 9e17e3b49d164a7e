import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  ConsumerStrategies,
  defineJob,
  json,
  LocationStrategies,
  type State,
  StateSpec,
  utf8,
} from '@millrace/api';
import { type Random, randomInt, seededRandom } from '@millrace/common';
import { embed } from '@millrace/local';
import { readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { until } from '../support/until.ts';
import { useDevBroker } from '../support/use-dev-broker.ts';

type Key = string | readonly [string, number];
type Click = readonly [Key, number];

const PARTITIONS = 3;
const TIMEOUT_MS = 60;
const KEYS: readonly Key[] = ['a', 'b', 'c', 'd', 'é', '', ['t', 1], ['t', 2]];

const kafka = useDevBroker();

const text = (key: unknown): string => JSON.stringify(key);

/** What the outputs gave, by batch and output: each time that the batch ran. */
type Seen = Map<string, unknown[][]>;

interface World {
  readonly topic: string;
  readonly seen: Seen;
  readonly committed: Set<number>;
  /** By Kafka partition. */
  readonly records: Click[][];
}

function job(world: World, partitions: { update: number; map: number }, batches?: number) {
  const { topic, seen } = world;
  const note =
    (output: string) =>
    (time: number, rows: readonly unknown[]): void => {
      const key = `${time} ${output}`;
      seen.set(key, [...(seen.get(key) ?? []), rows.map(text).toSorted()]);
    };
  return defineJob(
    { name: 'stateful', batchInterval: '20ms', ...(batches !== undefined && { batches }) },
    (ssc) => {
      const clicks = ssc.kafka
        .createDirectStream(
          LocationStrategies.PreferConsistent,
          ConsumerStrategies.Subscribe(topic, {
            brokers: kafka.broker.brokers,
            groupId: 'g',
            startFrom: 'earliest',
            maxRecordsPerBatch: 9,
            key: utf8(),
            value: json<Click>(),
          }),
        )
        .map(({ value }) => value);
      const totals = clicks.updateStateByKey(
        (values: number[], total: number | undefined) => {
          const sum = values.reduce((a, b) => a + b, total ?? 0);
          // A key may go, and come back.
          return sum > 40 ? undefined : sum;
        },
        { name: 'totals', partitions: partitions.update },
      );
      totals.foreachRDD(async (rdd, time) => note('totals')(time, await rdd.collect()));
      // Another output over the same state, that takes a part of it only.
      totals.foreachRDD(async (rdd) => void (await rdd.take(1)));
      const spec = StateSpec.function(
        (key: Key, value: number | undefined, state: State<{ sum: number; seen: Map<number, number> }>) => {
          if (state.isTimingOut()) return ['out', key, state.get().sum];
          const kept = state.getOption() ?? { sum: 0, seen: new Map<number, number>() };
          // In place: the state before the batch must not show it when the batch runs again.
          kept.sum += value ?? 0;
          kept.seen.set(value ?? 0, (kept.seen.get(value ?? 0) ?? 0) + 1);
          if (!state.exists()) state.update(kept);
          if (kept.sum > 30) state.remove();
          return value === 3 ? undefined : ['row', key, kept.sum, kept.seen.size];
        },
      )
        .named('sessions')
        .numPartitions(partitions.map)
        .timeout(TIMEOUT_MS);
      const sessions = clicks.mapWithState(spec);
      sessions.foreachRDD(async (rdd, time) => note('sessions')(time, await rdd.collect()));
      sessions.stateSnapshots().foreachRDD(async (rdd, time) =>
        note('snapshots')(
          time,
          (await rdd.collect()).map(([key, { sum, seen: of }]) => [key, sum, of.size]),
        ),
      );
    },
  );
}

/** What plain Maps make of the batches that the log tells of. */
function model(world: World, directory: string): Map<string, string[]> {
  const totals = new Map<string, number>();
  const sessions = new Map<string, { sum: number; seen: Map<number, number>; at: number }>();
  const expected = new Map<string, string[]>();
  const { batches } = readLog(join(directory, 'stateful', 'log'));
  for (const { planned, committed } of batches) {
    if (!committed) continue;
    const { batchTime } = planned;
    const clicks = planned.inputs
      .flatMap(({ ranges }) => ranges)
      .flatMap(({ partition, fromOffset, untilOffset }) =>
        (world.records[partition] ?? []).slice(fromOffset, untilOffset),
      );
    const sums = new Map<string, number>();
    for (const [key, value] of clicks) sums.set(text(key), (sums.get(text(key)) ?? 0) + value);
    for (const key of new Set([...sums.keys(), ...totals.keys()])) {
      const sum = (totals.get(key) ?? 0) + (sums.get(key) ?? 0);
      if (sum > 40) totals.delete(key);
      else totals.set(key, sum);
    }
    const rows: string[] = [];
    for (const [key, value] of clicks) {
      const kept = sessions.get(text(key)) ?? { sum: 0, seen: new Map<number, number>(), at: 0 };
      kept.sum += value;
      kept.seen.set(value, (kept.seen.get(value) ?? 0) + 1);
      kept.at = batchTime;
      if (kept.sum > 30) sessions.delete(text(key));
      else sessions.set(text(key), kept);
      if (value !== 3) rows.push(text(['row', key, kept.sum, kept.seen.size]));
    }
    for (const [key, { sum, at }] of sessions) {
      if (at > batchTime - TIMEOUT_MS) continue;
      rows.push(text(['out', JSON.parse(key), sum]));
      sessions.delete(key);
    }
    expected.set(`${batchTime} totals`, [...totals].map(([key, sum]) => `[${key},${sum}]`).toSorted());
    expected.set(`${batchTime} sessions`, rows.toSorted());
    expected.set(
      `${batchTime} snapshots`,
      [...sessions].map(([key, { sum, seen }]) => `[${key},${sum},${seen.size}]`).toSorted(),
    );
    world.committed.add(batchTime);
  }
  return expected;
}

async function produce(world: World, random: Random): Promise<void> {
  const producer = kafka.client.producer();
  const records = Array.from({ length: randomInt(random, 25) }, () => {
    const index = randomInt(random, KEYS.length);
    const partition = index % PARTITIONS;
    const click: Click = [KEYS[index] as Key, randomInt(random, 6)];
    world.records[partition]?.push(click);
    return { partition, key: 'k', value: JSON.stringify(click) };
  });
  await producer.send(world.topic, records);
  await producer.close();
}

/** Runs for a while; then what is on the disk at that moment is all that is left. */
async function live(world: World, random: Random, directory: string, left: string): Promise<void> {
  const partitions = { update: 1 + randomInt(random, 3), map: 1 + randomInt(random, 3) };
  const application = await embed(job(world, partitions), { stateDir: directory });
  await application.start();
  const ended = application.awaitTermination().catch((error: unknown) => error);
  for (let step = randomInt(random, 6); step > 0; step--) {
    await produce(world, random);
    await new Promise((resolve) => setTimeout(resolve, randomInt(random, 60)));
  }
  // Any moment: the engine runs in this process.
  cpSync(directory, left, { recursive: true });
  await application.stop({ graceful: false });
  expect(await ended).toBeUndefined();
}

async function catchUp(world: World, directory: string): Promise<void> {
  const application = await embed(job(world, { update: 2, map: 2 }), { stateDir: directory });
  await application.start();
  const wanted = world.records.map(({ length }) => length).join();
  const reached = (): string =>
    world.records
      .map(
        (_, partition) =>
          readLog(join(directory, 'stateful', 'log'))
            .state.positions.get(0)
            ?.get(`${world.topic}-${partition}` as never)?.offset ?? 0,
      )
      .join();
  try {
    await until('all records', () => reached() === wanted, 20_000);
    // Some idle batches: keys time out.
    await new Promise((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS));
  } finally {
    await application.stop();
  }
  expect(reached()).toBe(wanted);
}

describe('keyed state of an application that dies at any moment', () => {
  const seeds = process.env['MILLRACE_SEED']
    ? [Number(process.env['MILLRACE_SEED'])]
    : Array.from({ length: 12 }, (_, seed) => seed + 1);

  it.each(seeds)(
    'is what the committed batches make of it, whoever ran them, and how often (seed %d)',
    async (seed) => {
      const random = seededRandom(seed);
      const directories = mkdtempSync(join(tmpdir(), 'millrace-state-'));
      const topic = `state-${seed}`;
      await kafka.client.createTopic(topic, { partitions: PARTITIONS });
      const world: World = {
        topic,
        seen: new Map(),
        committed: new Set(),
        records: Array.from({ length: PARTITIONS }, () => []),
      };
      try {
        let directory = join(directories, '0');
        for (let life = 1; life <= 5; life++) {
          const left = join(directories, String(life));
          await live(world, random, directory, left);
          directory = left;
        }
        await catchUp(world, directory);
        const expected = model(world, directory);
        expect(world.committed.size).toBeGreaterThan(5);
        // Batches that ran in a life whose end the disk had not seen ran again with the same ranges.
        for (const [key, rows] of expected)
          for (const seen of (world.seen.get(key) ?? []).slice(-1)) expect([key, seen]).toEqual([key, rows]);
        const last = Math.max(...world.committed);
        expect(world.seen.has(`${last} snapshots`)).toBe(true);
        // One snapshot and a bounded number of deltas a partition are all that is kept.
        expect(readdirSync(join(directory, 'stateful', 'log', 'state')).length).toBeLessThan(150);
      } finally {
        rmSync(directories, { recursive: true, force: true });
      }
    },
    60_000,
  );
});
