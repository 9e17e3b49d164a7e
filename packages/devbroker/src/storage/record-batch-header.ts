import { crc32c } from '@node-rs/crc32';
import { BROKER_ERROR, type BrokerErrorCode } from '../protocol/broker-error.ts';

/** Bytes of a RecordBatch v2 up to its records (kafka.apache.org/documentation/#recordbatch). */
export const BATCH_HEADER_BYTES = 61;

const OFFSET_AND_LENGTH_BYTES = 12;
const BATCH_LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
const MAGIC_AT = 16;
const CRC_AT = 17;
const CRC_FROM = 21;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** What the broker needs of a batch without decoding its records. */
export interface RecordBatchHeader {
  readonly recordCount: number;
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
  | { readonly ok: false; readonly errorCode: BrokerErrorCode; readonly message: string };

const refuse = (errorCode: BrokerErrorCode, message: string): CheckedBatch => ({
  ok: false,
  errorCode,
  message,
});

/** Checks the records of one partition of a produce request, as LogValidator does: exactly one intact RecordBatch v2. */
export function checkProducedBatch(batch: Buffer): CheckedBatch {
  if (batch.length < BATCH_HEADER_BYTES) {
    return refuse(BROKER_ERROR.CORRUPT_MESSAGE, `${batch.length} bytes are no record batch`);
  }
  const magic = batch.readInt8(MAGIC_AT);
  if (magic !== 2) return refuse(BROKER_ERROR.INVALID_RECORD, `magic ${magic} is not supported, only 2`);
  const end = batch.readInt32BE(BATCH_LENGTH_AT) + OFFSET_AND_LENGTH_BYTES;
  if (end < BATCH_HEADER_BYTES || end > batch.length) {
    return refuse(BROKER_ERROR.CORRUPT_MESSAGE, `the batch says ${end} bytes, ${batch.length} were sent`);
  }
  if (end < batch.length) {
    return refuse(BROKER_ERROR.INVALID_RECORD, 'a produce request has exactly one batch per partition');
  }
  if (crc32c(batch.subarray(CRC_FROM)) !== batch.readUInt32BE(CRC_AT)) {
    return refuse(BROKER_ERROR.CORRUPT_MESSAGE, 'the CRC32C of the batch does not match');
  }
  const attributes = batch.readInt16BE(21);
  if ((attributes & CONTROL) !== 0) {
    return refuse(BROKER_ERROR.INVALID_RECORD, 'clients may not write control batches');
  }
  if ((attributes & TRANSACTIONAL) !== 0) {
    return refuse(BROKER_ERROR.INVALID_TXN_STATE, 'the embedded broker has no transactions');
  }
  const header = readBatchHeader(batch);
  if (header.recordCount < 1 || header.lastOffsetDelta !== header.recordCount - 1) {
    return refuse(
      BROKER_ERROR.INVALID_RECORD,
      `${header.recordCount} records do not match the last offset delta ${header.lastOffsetDelta}`,
    );
  }
  return { ok: true, header };
}

function readBatchHeader(batch: Buffer): RecordBatchHeader {
  return {
    lastOffsetDelta: batch.readInt32BE(23),
    // A timestamp beyond 2^53 loses precision here only; the stored bytes keep it.
    maxTimestamp: Number(batch.readBigInt64BE(35)),
    producerId: Number(batch.readBigInt64BE(43)),
    producerEpoch: batch.readInt16BE(51),
    baseSequence: batch.readInt32BE(53),
    recordCount: batch.readInt32BE(57),
  };
}

/** Writes what the leader assigns. Both fields are outside the CRC. */
export function assignBatch(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  batch.writeInt32BE(leaderEpoch, LEADER_EPOCH_AT);
}
