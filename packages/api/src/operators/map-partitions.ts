import type { PartitionOperator } from '../lineage/operator-definition.ts';
import { chunksOf, type RowsResult, rowsOf } from '../rows.ts';

export const mapPartitions: PartitionOperator = {
  kind: 'mapPartitions',
  form: 'partition',
  preservesEmpty: false,
  run: (chunks, { functions }) => chunksOf(functions[0]?.(rowsOf(chunks)) as RowsResult<unknown>),
};

/** numbers: [base]. See `rebased`. */
export const mapPartitionsWithIndex: PartitionOperator = {
  kind: 'mapPartitionsWithIndex',
  form: 'partition',
  preservesEmpty: false,
  run: (chunks, { functions, numbers, partition }) =>
    chunksOf(functions[0]?.(partition - (numbers[0] ?? 0), rowsOf(chunks)) as RowsResult<unknown>),
};

export const glom: PartitionOperator = {
  kind: 'glom',
  form: 'partition',
  // An empty partition is one empty array.
  preservesEmpty: false,
  async *run(chunks) {
    yield [await rowsOf(chunks).toArray()];
  },
};
