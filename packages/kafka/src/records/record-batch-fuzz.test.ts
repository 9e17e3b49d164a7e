import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { MillraceError, randomInt, seededRandom } from '@millrace/common';
import { crc32c } from '@node-rs/crc32';
import lz4 from 'lz4-napi';
import { COMPRESSIONS, DECOMPRESSED_BYTES_MAX } from './compression.ts';
import { lz4ContentBytesMax } from './lz4-frame.ts';
import { decodeRecordBatches } from './record-batch-decoder.ts';
import { encodeRecordBatch } from './record-batch-encoder.ts';
import { ATTRIBUTE, BATCH, BATCH_LENGTH_END } from './record-batch-header.ts';

const TP = { topic: 'orders', partition: 3 };
const REFUSALS = ['RECORD_BATCH_CORRUPT', 'RECORD_BATCH_UNSUPPORTED', 'OFFSET_UNSAFE'];

/** Values of all records, or the code of the refusal. @throws whatever is not coded. */
function decoded(buf: Buffer): readonly (string | null)[] | string {
  const values: (string | null)[] = [];
  try {
    for (const c of decodeRecordBatches(buf, 0, buf.length, TP)) {
      for (let i = 0; i < c.n; i++) {
        values.push(c.valueString(i));
        c.keyString(i);
        c.headers(i);
      }
    }
  } catch (error) {
    if (MillraceError.is(error)) return error.code;
    throw error;
  }
  return values;
}

/** A batch whose records are these bytes, with a right checksum. */
function batchOf(codec: number, records: Buffer, count = 1): Buffer {
  const head = encodeRecordBatch([{ value: '' }], { now: 1 }).subarray(0, BATCH.records);
  const buf = Buffer.concat([head, records]);
  buf.writeInt32BE(buf.length - BATCH_LENGTH_END, BATCH.batchLength);
  buf.writeInt16BE(codec & ATTRIBUTE.codecMask, BATCH.attributes);
  buf.writeInt32BE(count - 1, BATCH.lastOffsetDelta);
  buf.writeInt32BE(count, BATCH.recordCount);
  buf.writeUInt32BE(crc32c(buf.subarray(BATCH.attributes)), BATCH.crc);
  return buf;
}

function randomBytes(random: ReturnType<typeof seededRandom>, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => randomInt(random, 256)));
}

describe('the decoder', () => {
  it('refuses random bytes, or finds no whole batch in them', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 3000; round++) {
      const buf = randomBytes(random, randomInt(random, 300));
      // Half of them get past the format number.
      if (buf.length > BATCH.records && round % 2 === 0) buf[BATCH.magic] = 2;
      const result = decoded(buf);
      if (typeof result === 'string') expect(REFUSALS).toContain(result);
      else expect(result).toEqual([]);
    }
  });

  it('refuses random records under a right checksum, whatever the codec', () => {
    const random = seededRandom(8);
    for (let codec = 0; codec < 8; codec++) {
      for (let round = 0; round < 300; round++) {
        const records = randomBytes(random, 1 + randomInt(random, 200));
        const result = decoded(batchOf(codec, records, 1 + randomInt(random, 20)));
        expect([codec, result]).toEqual([codec, 'RECORD_BATCH_CORRUPT']);
      }
    }
  });

  it('gives the same records or refuses when any bit of valid batches is flipped', () => {
    const records = Array.from({ length: 5 }, (_, i) => ({
      key: `k${i}`,
      value: `value ${i}`,
      timestamp: i * 99,
    }));
    const values = records.map(({ value }) => value);
    for (const compression of COMPRESSIONS) {
      const one = encodeRecordBatch(records, { now: 1, baseOffset: 1000, compression });
      const two = encodeRecordBatch(records, { now: 1, baseOffset: 2000, compression });
      const whole = Buffer.concat([one, two]);
      expect(decoded(whole)).toEqual([...values, ...values]);
      for (let bit = 0; bit < whole.length * 8; bit++) {
        const buf = Buffer.from(whole);
        const at = bit >> 3;
        buf[at] = (buf[at] as number) ^ (1 << (bit & 7));
        const result = decoded(buf);
        if (typeof result === 'string') expect(REFUSALS).toContain(result);
        // A length that became larger than what there is looks like a batch that the broker cut.
        else expect([values.length, 0, 2 * values.length]).toContain(result.length);
        if (typeof result !== 'string')
          expect(result).toEqual([...values, ...values].slice(0, result.length));
      }
    }
  }, 60_000);

  it('does not inflate more than 256 MiB', () => {
    const zeros = Buffer.alloc(DECOMPRESSED_BYTES_MAX + 1);
    const snappy = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]); // claims 4 GiB
    const bombs = [gzipSync(zeros, { level: 1 }), snappy, lz4Bomb(zeros.length), zstdCompressSync(zeros)];
    for (const [i, bomb] of bombs.entries()) {
      const before = process.memoryUsage().arrayBuffers;
      expect([i, decoded(batchOf(i + 1, bomb))]).toEqual([i, 'RECORD_BATCH_CORRUPT']);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1.3 * DECOMPRESSED_BYTES_MAX);
    }
  }, 60_000);
});

/** One frame that repeats a block of zeros until it holds `bytes`. */
function lz4Bomb(bytes: number): Buffer {
  const content = 64 * 1024;
  const frame = lz4.compressFrameSync(Buffer.alloc(content));
  const size = frame.readUInt32LE(7);
  const block = frame.subarray(7, 7 + 4 + size);
  const blocks = Array.from({ length: Math.ceil(bytes / content) }, () => block);
  return Buffer.concat([frame.subarray(0, 7), ...blocks, Buffer.alloc(4)]);
}

describe('the bound of LZ4 frames', () => {
  it('is never below what they hold, and near it', () => {
    const random = seededRandom(3);
    for (const length of [0, 1, 100, 65_536, 65_537, 1_000_000]) {
      for (const content of [Buffer.alloc(length), randomBytes(random, length)]) {
        for (const options of [{}, { contentChecksum: true, blockChecksums: true }]) {
          const frame = lz4.compressFrameSync(content, options);
          const bound = lz4ContentBytesMax(frame);
          expect(bound).toBeGreaterThanOrEqual(length);
          expect(lz4ContentBytesMax(Buffer.concat([frame, frame]))).toBe(2 * bound);
          expect(() => lz4ContentBytesMax(frame.subarray(0, -1))).toThrow();
        }
      }
    }
  });
});
