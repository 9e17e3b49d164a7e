import { type EncodeOptions, encodeRecordBatch } from '../records/record-batch-encoder.ts';
import { type Batch, batchOf } from './record-accumulator.ts';

/** What a BatchWriter writes: at least one record of one partition. */
export interface WritableBatch {
  readonly records: number;
  /** What they take in a batch, at most. */
  readonly bytesMax: number;
  encode(options: Omit<EncodeOptions, 'recordsBytesMax'>): Buffer;
  /** The same records in two, in order; undefined of a single one. */
  halves(): readonly [WritableBatch, WritableBatch] | undefined;
}

export function writableBatch({ records, bytesMax }: Batch): WritableBatch {
  return {
    records: records.length,
    bytesMax,
    encode: (options) => encodeRecordBatch(records, { ...options, recordsBytesMax: bytesMax }),
    halves() {
      if (records.length === 1) return undefined;
      const half = records.length >> 1;
      return [writableBatch(batchOf(records.slice(0, half))), writableBatch(batchOf(records.slice(half)))];
    },
  };
}
