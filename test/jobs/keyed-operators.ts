// Every keyed operator, and the same in plain TypeScript: what a job on a cluster runs, and what its test compares with.
import type { Partitioner, RDD } from '@millrace/api';

export type Click = readonly [user: string, ms: number];

/** Everything of a record follows from its number. */
export function clickOf(value: string): Click {
  const index = Number(value);
  return [`u${(index * 7919) % 5003}`, (index * 104_729) % 997];
}

/** Few rows for the other side of joins; some of their users are nowhere else. */
export const isOther = ([, ms]: Click): boolean => ms % 89 === 0;
export const otherOf = ([user, ms]: Click): Click => [ms % 2 === 0 ? user : `x${user}`, ms];

interface KeyedOperator {
  /** Made of the clicks and of the others. A value that is no dataset counts as its rows. */
  readonly on: (
    clicks: RDD<Click>,
    others: RDD<Click>,
  ) => RDD<unknown> | Promise<RDD<unknown> | Iterable<unknown>>;
  /** All rows in partition order. */
  readonly model: (clicks: readonly Click[], others: readonly Click[]) => readonly unknown[];
  /** The order of rows over all partitions is promised, too. */
  readonly isOrdered?: true;
}

const add = (a: number, b: number): number => a + b;
const total = (values: readonly number[]): number => values.reduce(add, 0);

class ByLength implements Partitioner<string> {
  readonly partitions: number;

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  partitionOf(user: string): number {
    return user.length % this.partitions;
  }
}

function grouped<K, V>(rows: readonly (readonly [K, V])[]): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const [key, value] of rows) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** Values of each key here and there. */
function cogrouped(clicks: readonly Click[], others: readonly Click[]): [string, number[], number[]][] {
  const [left, right] = [grouped(clicks), grouped(others)];
  return [...new Set([...left.keys(), ...right.keys()])].map((key) => [
    key,
    left.get(key) ?? [],
    right.get(key) ?? [],
  ]);
}

/** `left`, `right`: whose missing values are one undefined. */
function joined(
  clicks: readonly Click[],
  others: readonly Click[],
  left: boolean,
  right: boolean,
): unknown[] {
  const sideOf = (values: readonly number[], stays: boolean): readonly (number | undefined)[] =>
    values.length === 0 && stays ? [undefined] : values;
  return cogrouped(clicks, others).flatMap(([key, as, bs]) =>
    sideOf(as, left).flatMap((a) => sideOf(bs, right).map((b) => [key, [a, b]])),
  );
}

const texts = (rows: readonly Click[]): Set<string> => new Set(rows.map((row) => row.join()));
const unique = (rows: readonly Click[]): Click[] => [
  ...new Map(rows.map((row) => [row.join(), row])).values(),
];
const summed = (rows: readonly Click[]): unknown[] => [...grouped(rows)].map(([key, ms]) => [key, total(ms)]);
const counts = (values: readonly unknown[]): unknown[] =>
  [...grouped(values.map((value) => [value, 1] as const))].map(([value, ones]) => [value, ones.length]);

export const KEYED_OPERATORS = {
  reduceByKey: { on: (clicks) => clicks.reduceByKey(add, 5), model: summed },
  foldByKey: { on: (clicks) => clicks.foldByKey(0, add, 5), model: summed },
  aggregateByKey: {
    on: (clicks) =>
      clicks.aggregateByKey(
        { n: 0, most: 0 },
        (most, ms) => ({ n: most.n + 1, most: Math.max(most.most, ms) }),
        (a, b) => ({ n: a.n + b.n, most: Math.max(a.most, b.most) }),
        5,
      ),
    model: (clicks) =>
      [...grouped(clicks)].map(([key, ms]) => [key, { n: ms.length, most: Math.max(...ms) }]),
  },
  combineByKey: {
    on: (clicks) =>
      clicks.combineByKey(
        (ms) => [ms],
        (all, ms) => {
          all.push(ms);
          return all;
        },
        (a, b) => a.concat(b),
        5,
      ),
    model: (clicks) => [...grouped(clicks)],
  },
  groupByKey: { on: (clicks) => clicks.groupByKey(5), model: (clicks) => [...grouped(clicks)] },
  groupBy: {
    on: (clicks) => clicks.groupBy(([user, ms]) => [ms % 50, user.length], 5),
    model: (clicks) => {
      const groups = grouped(clicks.map((row) => [`${row[1] % 50} ${row[0].length}`, row] as const));
      return [...groups].map(([key, rows]) => [key.split(' ').map(Number), rows]);
    },
  },
  distinct: { on: (clicks) => clicks.distinct(5), model: unique },
  countByValue: {
    on: async (clicks) => clicks.map(([, ms]) => ms).countByValue(),
    model: (clicks) => counts(clicks.map(([, ms]) => ms)),
  },
  countByKey: {
    on: async (clicks) => clicks.countByKey(),
    model: (clicks) => counts(clicks.map(([user]) => user)),
  },
  lookup: {
    on: async (clicks) => clicks.lookup('u7'),
    model: (clicks) => clicks.filter(([user]) => user === 'u7').map(([, ms]) => ms),
    isOrdered: true,
  },
  join: {
    on: (clicks, others) => clicks.join(others, 5),
    model: (clicks, others) => joined(clicks, others, false, false),
  },
  leftOuterJoin: {
    on: (clicks, others) => clicks.leftOuterJoin(others, 5),
    model: (clicks, others) => joined(clicks, others, false, true),
  },
  rightOuterJoin: {
    on: (clicks, others) => clicks.rightOuterJoin(others, 5),
    model: (clicks, others) => joined(clicks, others, true, false),
  },
  fullOuterJoin: {
    on: (clicks, others) => clicks.fullOuterJoin(others, 5),
    model: (clicks, others) => joined(clicks, others, true, true),
  },
  cogroup: {
    on: (clicks, others) => clicks.cogroup(others, 5),
    model: (clicks, others) => cogrouped(clicks, others).map(([key, as, bs]) => [key, [as, bs]]),
  },
  subtract: {
    on: (clicks, others) => clicks.subtract(others, 5),
    model(clicks, others) {
      const theirs = texts(others);
      return clicks.filter((row) => !theirs.has(row.join()));
    },
  },
  subtractByKey: {
    on: (clicks, others) => clicks.subtractByKey(others, 5),
    model(clicks, others) {
      const theirs = grouped(others);
      return clicks.filter(([user]) => !theirs.has(user));
    },
  },
  intersection: {
    on: (clicks, others) => clicks.intersection(others, 5),
    model(clicks, others) {
      const theirs = texts(others);
      return unique(clicks).filter((row) => theirs.has(row.join()));
    },
  },
  sortBy: {
    on: (clicks) => clicks.sortBy(([, ms]) => ms, { partitions: 5 }),
    model: (clicks) => clicks.toSorted((a, b) => a[1] - b[1]),
    isOrdered: true,
  },
  sortByKey: {
    on: (clicks) => clicks.sortByKey({ partitions: 5, descending: true }),
    model: (clicks) => clicks.toSorted(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0)),
    isOrdered: true,
  },
  repartition: { on: (clicks) => clicks.repartition(7), model: (clicks) => clicks },
  partitionBy: {
    on: (clicks) => clicks.partitionBy(new ByLength(4)),
    model: (clicks) => clicks,
  },
  zipWithIndex: {
    on: (clicks) => clicks.zipWithIndex(),
    model: (clicks) => clicks.map((row, index) => [row, index]),
    isOrdered: true,
  },
  coPartitionedJoin: {
    on(clicks, others) {
      const sums = clicks.reduceByKey(add, 5);
      return sums.join(others.reduceByKey(add, 5));
    },
    model: (clicks, others) =>
      cogrouped(clicks, others).flatMap(([key, as, bs]) =>
        as.length > 0 && bs.length > 0 ? [[key, [total(as), total(bs)]]] : [],
      ),
  },
} satisfies Readonly<Record<string, KeyedOperator>>;

/** Of rows in their order. */
export interface Digest {
  readonly rows: number;
  /** The same for the same rows in any order. */
  readonly sum: number;
  /** The same for the same rows in the same order. */
  readonly chain: number;
}

export const NO_ROWS: Digest = { rows: 0, sum: 0, chain: 0 };

/** With one more row. */
export function digested({ rows, sum, chain }: Digest, row: unknown): Digest {
  const text = JSON.stringify(row);
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  // FNV alone hardly tells where in a text a digit stood.
  hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b);
  return { rows: rows + 1, sum: (sum + hash) >>> 0, chain: (Math.imul(chain, 31) + hash) >>> 0 };
}

export function digestOf(rows: Iterable<unknown>): Digest {
  let digest = NO_ROWS;
  for (const row of rows) digest = digested(digest, row);
  return digest;
}
