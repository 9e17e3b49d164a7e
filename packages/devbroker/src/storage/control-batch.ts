import { ATTRIBUTE, BATCH, encodeRecordBatch } from '@millrace/kafka';
import { crc32c } from '@node-rs/crc32';

export interface MarkerOptions {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly commit: boolean;
  /** ms since 1970. */
  readonly timestamp: number;
}

// ControlRecordType: the key is a version and the type.
const ABORT = 0;
const COMMIT = 1;

/** The batch that ends a transaction in a partition: one control record (EndTransactionMarker). */
export function encodeMarker({ producerId, producerEpoch, commit, timestamp }: MarkerOptions): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(commit ? COMMIT : ABORT, 2);
  // A version and the coordinator's epoch: both 0.
  const value = Buffer.alloc(6);
  const batch = encodeRecordBatch([{ key, value, timestamp }], {
    now: timestamp,
    transactional: true,
    producer: { id: BigInt(producerId), epoch: producerEpoch, sequence: -1 },
  });
  batch.writeInt16BE(batch.readInt16BE(BATCH.attributes) | ATTRIBUTE.control, BATCH.attributes);
  batch.writeUInt32BE(crc32c(batch.subarray(BATCH.attributes)), BATCH.crc);
  return batch;
}
