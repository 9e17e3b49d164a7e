/**
 * Byte positions in a record batch, magic 2 (kafka.apache.org/documentation/#recordbatch). `magic` stands at the same place in
 * all formats.
 */
export const BATCH = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** `batchLength` counts the bytes after itself. */
export const BATCH_LENGTH_END = 12;

export const ATTRIBUTE = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;

const TWO_32 = 4294967296;

/** An int64 as a double: exact within ±(2^53−1), to be checked by the caller. */
export function readInt64(buf: Buffer, at: number): number {
  return buf.readInt32BE(at) * TWO_32 + buf.readUInt32BE(at + 4);
}

/** `value` must be a safe integer. */
export function writeInt64(buf: Buffer, value: number, at: number): void {
  const high = Math.floor(value / TWO_32);
  buf.writeInt32BE(high, at);
  buf.writeUInt32BE(value - high * TWO_32, at + 4);
}
