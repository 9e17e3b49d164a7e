import {
  ATTRIBUTE,
  BATCH,
  BATCH_LENGTH_END,
  KAFKA_ERROR,
  type KafkaErrorNumber,
  readInt64,
  writeInt64,
} from '@millrace/kafka';
import { crc32c } from '@node-rs/crc32';

/** What the broker needs of a batch without decoding its records. */
export interface RecordBatchHeader {
  readonly recordCount: number;
  readonly transactional: boolean;
  readonly lastOffsetDelta: number;
  /** ms. */
  readonly maxTimestamp: number;
  /** −1 when the producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

export type CheckedBatch =
  | { readonly ok: true; readonly header: RecordBatchHeader }
  | { readonly ok: false; readonly errorCode: KafkaErrorNumber; readonly message: string };

const refuse = (errorCode: KafkaErrorNumber, message: string): CheckedBatch => ({
  ok: false,
  errorCode,
  message,
});

/** Checks the records of one partition of a produce request, as LogValidator does: exactly one intact RecordBatch v2. */
export function checkProducedBatch(batch: Buffer): CheckedBatch {
  if (batch.length < BATCH.records) {
    return refuse(KAFKA_ERROR.CORRUPT_MESSAGE, `${batch.length} bytes are no record batch`);
  }
  const magic = batch.readInt8(BATCH.magic);
  if (magic !== 2) return refuse(KAFKA_ERROR.INVALID_RECORD, `magic ${magic} is not supported, only 2`);
  const end = batch.readInt32BE(BATCH.batchLength) + BATCH_LENGTH_END;
  if (end < BATCH.records || end > batch.length) {
    return refuse(KAFKA_ERROR.CORRUPT_MESSAGE, `the batch says ${end} bytes, ${batch.length} were sent`);
  }
  if (end < batch.length) {
    return refuse(KAFKA_ERROR.INVALID_RECORD, 'a produce request has exactly one batch per partition');
  }
  if (crc32c(batch.subarray(BATCH.attributes)) !== batch.readUInt32BE(BATCH.crc)) {
    return refuse(KAFKA_ERROR.CORRUPT_MESSAGE, 'the CRC32C of the batch does not match');
  }
  const attributes = batch.readInt16BE(BATCH.attributes);
  if ((attributes & ATTRIBUTE.control) !== 0) {
    return refuse(KAFKA_ERROR.INVALID_RECORD, 'clients may not write control batches');
  }
  const header = readBatchHeader(batch);
  if (header.recordCount < 1 || header.lastOffsetDelta !== header.recordCount - 1) {
    return refuse(
      KAFKA_ERROR.INVALID_RECORD,
      `${header.recordCount} records do not match the last offset delta ${header.lastOffsetDelta}`,
    );
  }
  if (header.transactional && (header.producerId < 0 || header.producerEpoch < 0)) {
    return refuse(KAFKA_ERROR.INVALID_RECORD, 'a batch of a transaction needs a producer id and epoch');
  }
  return { ok: true, header };
}

export function readBatchHeader(batch: Buffer): RecordBatchHeader {
  return {
    transactional: (batch.readInt16BE(BATCH.attributes) & ATTRIBUTE.transactional) !== 0,
    lastOffsetDelta: batch.readInt32BE(BATCH.lastOffsetDelta),
    // A timestamp beyond 2^53 loses precision here only; the stored bytes keep it.
    maxTimestamp: readInt64(batch, BATCH.maxTimestamp),
    producerId: readInt64(batch, BATCH.producerId),
    producerEpoch: batch.readInt16BE(BATCH.producerEpoch),
    baseSequence: batch.readInt32BE(BATCH.baseSequence),
    recordCount: batch.readInt32BE(BATCH.recordCount),
  };
}

/** Writes what the leader assigns. Both fields are outside the CRC. */
export function assignBatch(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  writeInt64(batch, baseOffset, BATCH.baseOffset);
  batch.writeInt32BE(leaderEpoch, BATCH.partitionLeaderEpoch);
}
