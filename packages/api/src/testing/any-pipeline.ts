import * as fc from 'fast-check';
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

/** Up to six steps: what a counterexample prints. */
export function anyPipeline(): fc.Arbitrary<PipelineStep[]> {
  const step = fc.constantFrom(...(Object.keys(STEPS) as (keyof typeof STEPS)[]));
  return fc.array(fc.record({ step, partitions: fc.integer({ min: 1, max: 4 }) }), { maxLength: 6 });
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
