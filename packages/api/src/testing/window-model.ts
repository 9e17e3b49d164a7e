import * as fc from 'fast-check';
import type { DStream } from '../dstream.ts';
import { INTERVAL_MS, type Keyed } from './stream-run.ts';

const add = (a: number, b: number): number => a + b;
const take = (a: number, b: number): number => a - b;

/** An operator over windows, and what it must give, in plain arrays. */
export interface WindowOperator {
  /** `window`, `slide`: ms. `n`: partitions. */
  readonly on: (
    stream: DStream<Keyed>,
    window: number,
    slide: number,
    n: number | undefined,
  ) => DStream<unknown>;
  readonly model: (rows: readonly Keyed[]) => readonly unknown[];
}

function grouped(rows: readonly Keyed[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [key, value] of rows) groups.set(key, [...(groups.get(key) ?? []), value]);
  return groups;
}

function sums(rows: readonly Keyed[]): Keyed[] {
  return [...grouped(rows)].map(([key, values]) => [key, values.reduce(add)]);
}

function total(rows: readonly Keyed[]): readonly number[] {
  return rows.length === 0 ? [] : [rows.map(([, v]) => v).reduce(add)];
}

/** Values of a key in any order: which batch's row comes first is not what is asked. */
function sorted([key, values]: readonly [string, number[]]): readonly [string, number[]] {
  return [key, values.toSorted((a, b) => a - b)];
}

export const WINDOW_OPERATORS: Readonly<Record<string, WindowOperator>> = {
  window: { on: (s, d, e) => s.window(d, e), model: (rows) => rows },
  countByWindow: { on: (s, d, e) => s.countByWindow(d, e), model: (rows) => [rows.length] },
  reduceByWindow: { on: (s, d, e) => s.values().reduceByWindow(add, d, e), model: total },
  'reduceByWindow with an inverse': {
    on: (s, d, e) => s.values().reduceByWindow(add, take, d, e, { name: 'all' }),
    model: total,
  },
  countByValueAndWindow: {
    on: (s, d, e, n) => s.keys().countByValueAndWindow(d, e, n),
    model: (rows) => [...grouped(rows)].map(([key, values]) => [key, values.length]),
  },
  reduceByKeyAndWindow: { on: (s, d, e, n) => s.reduceByKeyAndWindow(add, d, e, n), model: sums },
  'reduceByKeyAndWindow with an inverse': {
    on: (s, d, e) =>
      s.reduceByKeyAndWindow(add, take, d, e, { name: 'sums', partitions: 3, filter: ([, v]) => v !== 0 }),
    model: (rows) => sums(rows).filter(([, v]) => v !== 0),
  },
  groupByKeyAndWindow: {
    on: (s, d, e, n) => s.groupByKeyAndWindow(d, e, n).map((row) => sorted(row)),
    model: (rows) => [...grouped(rows)].map(sorted),
  },
};

export interface RunBatch {
  readonly time: number;
  readonly rows: readonly Keyed[];
  /** Of the topic, when the batch runs. */
  readonly partitions: number;
  /** The application starts again before it. */
  readonly restarts: boolean;
}

/** Batches of which some cover several intervals. */
export function anyBatches(): fc.Arbitrary<RunBatch[]> {
  const batch = fc.record({
    gap: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 7 })),
    rows: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', ''), fc.integer({ min: -3, max: 3 })), {
      maxLength: 5,
    }),
    partitions: fc.oneof({ weight: 9, arbitrary: fc.constant(2) }, fc.constant(3)),
    restarts: fc.boolean(),
  });
  return fc.array(batch, { minLength: 1, maxLength: 12 }).map((batches) => {
    let time = 10 * INTERVAL_MS;
    return batches.map(({ gap, ...rest }) => {
      time += gap * INTERVAL_MS;
      return { ...rest, time };
    });
  });
}

/** Batch time → rows of the window of `d` ms that ends at the last multiple of `slide` that the batch covers; batches that cover none are absent. */
export function windowsOf(
  batches: readonly RunBatch[],
  d: number,
  slide: number,
): ReadonlyMap<number, readonly Keyed[]> {
  const windows = new Map<number, readonly Keyed[]>();
  for (const [index, { time }] of batches.entries()) {
    const previous = batches[index - 1]?.time ?? time - INTERVAL_MS;
    const covered = Array.from({ length: (time - previous) / INTERVAL_MS }, (_, i) => time - i * INTERVAL_MS);
    const end = covered.find((at) => at % slide === 0);
    if (end === undefined) continue;
    const inside = batches.filter((batch) => batch.time > end - d && batch.time <= end);
    windows.set(
      time,
      inside.flatMap(({ rows }) => rows),
    );
  }
  return windows;
}
