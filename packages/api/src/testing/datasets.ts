import * as fc from 'fast-check';
import { canonicalKey } from '../canonical-key.ts';
import { RDD } from '../rdd.ts';
import { type ReferenceRunner, referenceRunner } from './reference-runner.ts';

/** Keys that meet often, some of them equal by content only. */
export function anyKey(): fc.Arbitrary<unknown> {
  const keys = () => [
    'a',
    'b',
    '',
    0,
    -0,
    1,
    '1',
    1n,
    true,
    null,
    undefined,
    Number.NaN,
    new Date(1),
    ['a', 1],
    { a: 1 },
  ];
  return fc.nat({ max: keys().length - 1 }).map((index) => keys()[index]);
}

/** Partitions of rows: none, empty ones, a few rows each. */
export function partitionsOf<T>(row: fc.Arbitrary<T>): fc.Arbitrary<T[][]> {
  return fc.array(fc.array(row, { maxLength: 9 }), { maxLength: 4 });
}

export function anyPairs(): fc.Arbitrary<[unknown, number][][]> {
  return partitionsOf(fc.tuple(anyKey(), fc.integer({ min: -5, max: 5 })));
}

export function dataset<T>(
  partitions: readonly (readonly T[])[],
  runner: ReferenceRunner = referenceRunner(),
): RDD<T> {
  return new RDD<T>({ kind: 'rows', partitions }, runner);
}

/** Rows of which only the number and contents matter. −0 is 0, as in keys. */
export function unordered(rows: Iterable<unknown>): readonly string[] {
  return Array.from(rows, (row) => canonicalKey(row)).toSorted();
}
