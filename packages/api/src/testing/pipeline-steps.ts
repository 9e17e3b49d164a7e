import { KeyMap } from '../key-map.ts';
import type { RDD } from '../rdd.ts';

export type Pair = readonly [unknown, number];

interface Step {
  /** `n`: of partitions. */
  readonly on: (rdd: RDD<Pair>, other: RDD<Pair>, n: number) => RDD<Pair> | Promise<RDD<Pair>>;
  /** The same in plain arrays; the order of rows does not matter. */
  readonly model: (rows: readonly Pair[], other: readonly Pair[]) => Pair[];
}

const add = (a: number, b: number): number => a + b;
const sum = (values: readonly number[]): number => values.reduce(add, 0);

/** Values by key here and there. */
function cogrouped(rows: readonly Pair[], other: readonly Pair[]): [unknown, number[], number[]][] {
  const groups = new KeyMap<[unknown, number[], number[]]>();
  for (const [side, pairs] of [rows, other].entries()) {
    for (const [key, value] of pairs) {
      const group = groups.get(key) ?? [key, [], []];
      groups.set(key, group);
      (side === 0 ? group[1] : group[2]).push(value);
    }
  }
  return [...groups.values()];
}

const same = (rows: readonly Pair[]): Pair[] => [...rows];
const summed = (rows: readonly Pair[]): Pair[] =>
  cogrouped(rows, []).map(([key, values]) => [key, sum(values)]);

const byThree = (rdd: RDD<Pair>): RDD<readonly [number, number]> => rdd.map(([, v]) => [v % 3, v] as const);

/** Rows [key, number] to the same. Every function is pure, and none depends on the order of rows. */
export const STEPS = {
  mapValues: { on: (rdd) => rdd.mapValues((v) => v + 1), model: (rows) => rows.map(([k, v]) => [k, v + 1]) },
  filter: {
    on: (rdd) => rdd.filter(([, v]) => v % 2 === 0),
    model: (rows) => rows.filter(([, v]) => v % 2 === 0),
  },
  flatMapValues: {
    on: (rdd) => rdd.flatMapValues((v) => [v, -v]),
    model: (rows) =>
      rows.flatMap(([k, v]): Pair[] => [
        [k, v],
        [k, -v],
      ]),
  },
  otherKeys: {
    on: (rdd) => rdd.map(([, v]) => [v % 3, v]),
    model: (rows) => rows.map(([, v]) => [v % 3, v]),
  },
  reduceByKey: { on: (rdd, _other, n) => rdd.reduceByKey(add, n), model: summed },
  aggregateByKey: { on: (rdd, _other, n) => rdd.aggregateByKey(0, add, add, n), model: summed },
  groupByKey: { on: (rdd, _other, n) => rdd.groupByKey(n).mapValues((values) => sum(values)), model: summed },
  /** As many partitions as the parent says. */
  groupAsItIs: { on: (rdd) => rdd.groupByKey().mapValues((values) => sum(values)), model: summed },
  distinct: {
    on: (rdd, _other, n) => rdd.distinct(n),
    model(rows) {
      const seen = new KeyMap<Pair>();
      for (const row of rows) if (!seen.has(row)) seen.set(row, row);
      return [...seen.values()];
    },
  },
  partitionBy: { on: (rdd, _other, n) => rdd.partitionBy(n), model: same },
  repartition: { on: (rdd, _other, n) => rdd.repartition(n), model: same },
  coalesce: { on: (rdd, _other, n) => rdd.coalesce(n), model: same },
  coalesceMoving: { on: (rdd, _other, n) => rdd.coalesce(n, { shuffle: true }), model: same },
  persist: { on: (rdd) => (rdd.storageLevel ? rdd : rdd.persist()), model: same },
  checkpoint: { on: (rdd) => rdd.checkpoint(), model: same },
  /** Two jobs at once have made it, and what it was made of is forgotten. */
  checkpointedAndRead: {
    on: async (rdd, _other, n) => {
      const kept = rdd.mapValues((v) => v - n).checkpoint();
      await Promise.all([kept.take(1), kept.mapValues((v) => v).count()]);
      return kept.mapValues((v) => v + n);
    },
    model: same,
  },
  /** Jobs have stored some or all of it before it is read. */
  persistedAndRead: {
    on: async (rdd, _other, n) => {
      const kept = rdd.filter(() => true).persist(n % 2 === 0 ? 'MEMORY_ONLY' : 'DISK_ONLY');
      await kept.take(1);
      if (n > 2) await Promise.all([kept.count(), kept.mapValues((v) => v).count()]);
      return kept;
    },
    model: same,
  },
  unpersisted: {
    on: async (rdd, _other, n) => {
      const kept = rdd.filter(() => true).persist();
      const counted = n > 1 ? kept.count() : undefined;
      const plain = n > 2 ? kept : kept.unpersist();
      if (n > 2) kept.unpersist();
      await counted;
      return plain;
    },
    model: same,
  },
  persistedTwice: {
    on: (rdd) => {
      const kept = rdd.mapValues((v) => v).cache();
      return kept.union(kept.filter(([, v]) => v > 3).cache());
    },
    model: (rows) => [...rows, ...rows.filter(([, v]) => v > 3)],
  },
  sortBy: { on: (rdd, _other, n) => rdd.sortBy(([, v]) => v, { partitions: n }), model: same },
  union: { on: (rdd, other) => rdd.union(other), model: (rows, other) => [...rows, ...other] },
  join: {
    on: (rdd, other, n) => rdd.join(other, n).mapValues(([a, b]) => a + b),
    model: (rows, other) =>
      cogrouped(rows, other).flatMap(([k, as, bs]) => as.flatMap((a) => bs.map((b): Pair => [k, a + b]))),
  },
  leftOuterJoin: {
    on: (rdd, other) => rdd.leftOuterJoin(other).mapValues(([a, b = 100]) => a + b),
    model: (rows, other) =>
      cogrouped(rows, other).flatMap(([k, as, bs]) =>
        as.flatMap((a) => (bs.length === 0 ? [100] : bs).map((b): Pair => [k, a + b])),
      ),
  },
  cogroup: {
    on: (rdd, other, n) => rdd.cogroup(other, n).mapValues(([as, bs]) => sum(as) - sum(bs)),
    model: (rows, other) => cogrouped(rows, other).map(([k, as, bs]) => [k, sum(as) - sum(bs)]),
  },
  selfJoin: {
    on: (rdd) => {
      const sums = rdd.reduceByKey(add);
      return sums.join(sums).mapValues(([a, b]) => a + b);
    },
    model: (rows) => summed(rows).map(([k, v]) => [k, v + v]),
  },
  foldByKey: { on: (rdd, _other, n) => rdd.foldByKey(0, add, n), model: summed },
  combineByKey: { on: (rdd, _other, n) => rdd.combineByKey((v) => v, add, add, n), model: summed },
  groupBy: {
    on: (rdd, _other, n) =>
      rdd.groupBy(([, v]) => v % 2 === 0, n).map(([even, rows]) => [even, sum(rows.map(([, v]) => v))]),
    model: (rows) => summed(rows.map(([, v]) => [v % 2 === 0, v])),
  },
  /** Without its partitioner: keys of later steps may have no order. */
  sortByKey: {
    on: async (rdd, _other, n) =>
      (await byThree(rdd).sortByKey({ partitions: n, descending: true })).map((row) => row),
    model: (rows) => rows.map(([, v]) => [v % 3, v]),
  },
  /** By ranges of keys: only the other side moves. */
  sortedJoin: {
    async on(rdd, other, n) {
      const sorted = await byThree(rdd).sortByKey({ partitions: n });
      return sorted
        .leftOuterJoin(byThree(other).reduceByKey(add))
        .mapValues(([a, b = 100]) => a + b)
        .map((row) => row);
    },
    model(rows, other) {
      const theirs = new Map(summed(other.map(([, v]) => [v % 3, v])));
      return rows.map(([, v]) => [v % 3, v + (theirs.get(v % 3) ?? 100)]);
    },
  },
  ownPartitioner: {
    on: (rdd, _other, n) =>
      rdd.partitionBy({
        partitions: n,
        partitionOf: (k) => (Number.isInteger(k) ? Math.abs(k as number) % n : 0),
      }),
    model: same,
  },
  zip: {
    on: (rdd) => rdd.zip(rdd.mapValues((v) => v + 1)).map(([[k, v], [, w]]) => [k, v + w]),
    model: (rows) => rows.map(([k, v]) => [k, 2 * v + 1]),
  },
  zipWithIndex: {
    on: async (rdd) => (await rdd.zipWithIndex()).map(([, index]) => ['index', index]),
    model: (rows) => rows.map((_, index) => ['index', index]),
  },
  mapPartitions: {
    on: (rdd) =>
      rdd.mapPartitions(async function* (rows) {
        for await (const [k, v] of rows) yield [k, v] as const;
      }),
    model: same,
  },
  /** Of few rows: it multiplies. */
  cartesian: {
    on: (rdd, other) =>
      rdd
        .keys()
        .distinct(2)
        .cartesian(other)
        .map(([k, [, v]]) => [k, v]),
    model: (rows, other) => cogrouped(rows, []).flatMap(([k]) => other.map(([, v]): Pair => [k, v])),
  },
  intersection: {
    on: (rdd, other, n) => rdd.intersection(other, n),
    model(rows, other) {
      const theirs = new KeyMap<true>();
      for (const row of other) theirs.set(row, true);
      const seen = new KeyMap<Pair>();
      for (const row of rows) if (theirs.has(row) && !seen.has(row)) seen.set(row, row);
      return [...seen.values()];
    },
  },
  subtract: {
    on: (rdd, other, n) => rdd.subtract(other, n),
    model(rows, other) {
      const theirs = new KeyMap<true>();
      for (const row of other) theirs.set(row, true);
      return rows.filter((row) => !theirs.has(row));
    },
  },
  rightOuterJoin: {
    on: (rdd, other) => rdd.rightOuterJoin(other).mapValues(([a = 100, b]) => a + b),
    model: (rows, other) =>
      cogrouped(rows, other).flatMap(([k, as, bs]) =>
        (as.length === 0 ? [100] : as).flatMap((a) => bs.map((b): Pair => [k, a + b])),
      ),
  },
  fullOuterJoin: {
    on: (rdd, other, n) => rdd.fullOuterJoin(other, n).mapValues(([a = 100, b = 100]) => a + b),
    model: (rows, other) =>
      cogrouped(rows, other).flatMap(([k, as, bs]) =>
        (as.length === 0 ? [100] : as).flatMap((a) =>
          (bs.length === 0 ? [100] : bs).map((b): Pair => [k, a + b]),
        ),
      ),
  },
  subtractByKey: {
    on: (rdd, other, n) => rdd.subtractByKey(other, n),
    model: (rows, other) =>
      cogrouped(rows, other).flatMap(([k, as, bs]) => (bs.length > 0 ? [] : as.map((a): Pair => [k, a]))),
  },
} satisfies Readonly<Record<string, Step>>;

export interface PipelineStep {
  readonly step: keyof typeof STEPS;
  readonly partitions: number;
}

/** The steps on datasets of any runner. */
export async function applied(
  steps: readonly PipelineStep[],
  rdd: RDD<Pair>,
  other: RDD<Pair>,
): Promise<RDD<Pair>> {
  let made = rdd;
  for (const { step, partitions } of steps) made = await (STEPS[step] as Step).on(made, other, partitions);
  return made;
}

/** What they must give. */
export function modelled(
  steps: readonly PipelineStep[],
  rows: readonly Pair[],
  other: readonly Pair[],
): readonly Pair[] {
  return steps.reduce<readonly Pair[]>((made, { step }) => (STEPS[step] as Step).model(made, other), rows);
}
