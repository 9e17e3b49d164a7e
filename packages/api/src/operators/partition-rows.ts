import { deserialize } from 'node:v8';
import { seededRandom } from '@millrace/common';
import { keyText } from '../key-map.ts';
import type { PartitionOperator } from '../lineage/operator-definition.ts';
import { rowOrder } from '../row-order.ts';
import { chunksOf, rowsOf } from '../rows.ts';
import { atPlace } from './at-place.ts';

type Pair = readonly [unknown, unknown];

/** numbers: [1 | -1]; functions: [compare?] → the rows [key, value] of the partition in the order of their keys; equal keys stay in order. */
export const sortRows: PartitionOperator = {
  kind: 'sortRows',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks, call) {
    const compare = call.functions[0] as ((a: unknown, b: unknown) => number) | undefined;
    const order = rowOrder(call.numbers[0] ?? 1, compare);
    const rows = (await rowsOf(chunks).toArray()) as Pair[];
    yield* chunksOf(atPlace(call, () => rows.toSorted((a, b) => order(a[0], b[0]))).values());
  },
};

/** numbers: [base, first index of each partition …] → [row, index]. See `rebased`. */
export const withIndex: PartitionOperator = {
  kind: 'withIndex',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks, { numbers, partition }) {
    let index = numbers[1 + partition - (numbers[0] ?? 0)] ?? 0;
    for await (const chunk of chunks) yield chunk.map((row) => [row, index++]);
  },
};

/** numbers: [n, seed] → one row [rows of the partition, n of them at random] (Vitter's algorithm R, deterministic); none of an empty one. */
export const sampleRows: PartitionOperator = {
  kind: 'sampleRows',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks, { numbers, partition }) {
    const [size = 0, seed = 0] = numbers;
    const random = seededRandom(Math.imul(seed + 1, 0x9e37_79b1) + partition);
    const sample: unknown[] = [];
    let count = 0;
    for await (const chunk of chunks) {
      for (const row of chunk) {
        count++;
        if (sample.length < size) sample.push(row);
        else {
          const at = Math.floor(random.next() * count);
          if (at < size) sample[at] = row;
        }
      }
    }
    if (count > 0) yield [[count, sample]];
  },
};

/** → one row [undefined, rows of the partition]; none of an empty one. */
export const countRows: PartitionOperator = {
  kind: 'countRows',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks) {
    let count = 0;
    for await (const chunk of chunks) count += chunk.length;
    if (count > 0) yield [[undefined, count]];
  },
};

/** value: a key → the values of the rows [key, value] that have it. */
export const lookupRows: PartitionOperator = {
  kind: 'lookupRows',
  form: 'partition',
  preservesEmpty: true,
  async *run(chunks, call) {
    const wanted = keyText(call.value === undefined ? undefined : deserialize(call.value));
    const found: unknown[] = [];
    for await (const rows of chunks) {
      atPlace(call, () => {
        for (const [key, value] of rows as Pair[]) if (keyText(key) === wanted) found.push(value);
      });
    }
    yield* chunksOf(found);
  },
};
