import { describe, expect, it } from '@jest/globals';
import { MillraceError, randomInt, seededRandom } from '@millrace/common';
import { crc32c } from '@node-rs/crc32';
import * as fc from 'fast-check';
import type { ProduceRecord } from '../kafka-port.ts';
import { RecordColumns } from '../record-columns.ts';
import { COMPRESSIONS, compress } from './compression.ts';
import { type DecodeOptions, decodeRecordBatches } from './record-batch-decoder.ts';
import { encodeRecordBatch } from './record-batch-encoder.ts';
import { ATTRIBUTE, BATCH, writeInt64 } from './record-batch-header.ts';
import { scanRecordBatches } from './record-batch-scanner.ts';

const TP = { topic: 'orders', partition: 3 };

type Row = readonly [
  number,
  number,
  string | null,
  string | null,
  ReadonlyArray<readonly [string, string | null]>,
];

function rowsOf(buf: Buffer, options: Partial<DecodeOptions> = {}): Row[] {
  const rows: Row[] = [];
  for (const c of decodeRecordBatches(buf, 0, buf.length, { ...TP, ...options })) {
    for (let i = 0; i < c.n; i++) {
      const headers = c.headers(i).map(([name, value]) => [name, value?.toString() ?? null] as const);
      rows.push([c.offset[i] as number, c.timestamp[i] as number, c.keyString(i), c.valueString(i), headers]);
    }
  }
  return rows;
}

function batch(
  values: readonly string[],
  baseOffset = 0,
  more: Partial<Parameters<typeof encodeRecordBatch>[1]> = {},
): Buffer {
  return Buffer.from(
    encodeRecordBatch(
      values.map((value) => ({ value })),
      { now: 7, baseOffset, ...more },
    ),
  );
}

/** Makes the checksum right again after a change. */
function seal(buf: Buffer): Buffer {
  buf.writeUInt32BE(crc32c(buf.subarray(BATCH.attributes)), BATCH.crc);
  return buf;
}

/** A transaction marker as brokers write it: 0 abort, 1 commit. */
function marker(type: 0 | 1, producer: bigint, baseOffset: number): Buffer {
  const key = Buffer.from([0, 0, 0, type]);
  const buf = Buffer.from(
    encodeRecordBatch([{ key, value: Buffer.alloc(6) }], {
      now: 1,
      baseOffset,
      transactional: true,
      producer: { id: producer, epoch: 0, sequence: -1 },
    }),
  );
  buf.writeInt16BE(buf.readInt16BE(BATCH.attributes) | ATTRIBUTE.control, BATCH.attributes);
  return seal(buf);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'nothing thrown';
}

const aText = fc.option(fc.string({ unit: 'binary', maxLength: 300 }), { nil: null });
const aRecord: fc.Arbitrary<ProduceRecord> = fc.record({
  key: aText,
  value: aText,
  timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  headers: fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 20 }), aText), { maxLength: 3 }),
});

describe('record batches', () => {
  it('come back as they were written, whatever the codec, nulls, headers and timestamps', () => {
    fc.assert(
      fc.property(
        fc.array(aRecord, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(...COMPRESSIONS),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 100 }),
        (records, compression, baseOffset) => {
          const buf = encodeRecordBatch(records, { now: 5, compression, baseOffset });
          const expected = records.map((r, i) => [
            baseOffset + i,
            r.timestamp,
            r.key ?? null,
            r.value ?? null,
            (r.headers ?? []).map(([name, value]) => [name, value]),
          ]);
          expect(rowsOf(buf)).toEqual(expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('give only the wanted offsets, and read a batch that begins before them', () => {
    const buf = Buffer.concat([batch(['a', 'b', 'c'], 10), batch(['d', 'e'], 20, { compression: 'lz4' })]);
    const rows = rowsOf(buf, { fromOffset: 11, untilOffset: 21 });
    expect(rows.map(([offset, , , value]) => [offset, value])).toEqual([
      [11, 'b'],
      [12, 'c'],
      [20, 'd'],
    ]);
  });

  it('fill the same columns again when asked to, and fresh ones otherwise', () => {
    const buf = Buffer.concat([batch(['a'], 0, { compression: 'gzip' }), batch(['b'], 1)]);
    const reuse = new RecordColumns('orders', 3, 0);
    expect(new Set(decodeRecordBatches(buf, 0, buf.length, { ...TP, reuse }))).toEqual(new Set([reuse]));
    expect(new Set(decodeRecordBatches(buf, 0, buf.length, TP)).size).toBe(2);
  });

  it('leave a batch that the broker cut off to the next fetch', () => {
    const whole = batch(['a', 'b'], 5);
    const cut = Buffer.concat([whole, batch(['c'], 7).subarray(0, 40)]);
    expect(scanRecordBatches(TP, cut, 0, cut.length)).toEqual({
      end: whole.length,
      nextOffset: 7,
      records: 2,
      batches: 1,
      leaderEpoch: -1,
    });
    expect(rowsOf(cut)).toHaveLength(2);
  });

  it('carry the broker’s time when the topic uses log-append time', () => {
    const buf = batch(['a', 'b']);
    buf.writeInt16BE(ATTRIBUTE.logAppendTime, BATCH.attributes);
    writeInt64(buf, 1_700_000_000_000, BATCH.maxTimestamp);
    expect(rowsOf(seal(buf)).map(([, timestamp]) => timestamp)).toEqual([
      1_700_000_000_000, 1_700_000_000_000,
    ]);
  });

  it('skip markers and what was aborted, and keep other producers’ records between', () => {
    const by = (id: bigint): Parameters<typeof encodeRecordBatch>[1] => ({
      now: 1,
      transactional: true,
      producer: { id, epoch: 0, sequence: 0 },
    });
    const buf = Buffer.concat([
      batch(['aborted 1'], 0, by(1n)),
      batch(['committed'], 1, by(2n)),
      batch(['plain'], 2),
      marker(0, 1n, 3),
      batch(['again, committed'], 4, by(1n)),
      marker(1, 2n, 5),
      marker(1, 1n, 6),
      batch(['aborted 2'], 7, by(1n)),
      marker(0, 1n, 8),
    ]);
    const aborted = [
      { producerId: 1n, firstOffset: 7 },
      { producerId: 1n, firstOffset: 0 },
    ];
    const committed = ['committed', 'plain', 'again, committed'];
    expect(rowsOf(buf, { aborted }).map(([, , , value]) => value)).toEqual(committed);
    expect(rowsOf(buf)).toHaveLength(5);
  });

  it('read snappy in the framing of Java clients and without it', () => {
    const whole = batch(['x'.repeat(100_000)], 0);
    const records = whole.subarray(BATCH.records);
    const framed = batch(['x'.repeat(100_000)], 0, { compression: 'snappy' });
    expect(framed.subarray(BATCH.records, BATCH.records + 8).toString('latin1')).toBe('\x82SNAPPY\0');
    expect(compress(2, records).length).toBe(framed.length - BATCH.records);
    expect(rowsOf(framed)).toEqual(rowsOf(whole));
  });
});

describe('damaged record batches', () => {
  it('are refused when any byte that the checksum covers is changed', () => {
    const whole = batch(['value one', 'value two'], 40);
    for (let at = BATCH.crc; at < whole.length; at++) {
      const buf = Buffer.from(whole);
      buf[at] = (buf[at] as number) ^ 0x10;
      expect([at, codeOf(() => rowsOf(buf))]).toEqual([at, 'RECORD_BATCH_CORRUPT']);
    }
  });

  it('name topic, partition and offset', () => {
    const buf = batch(['a'], 40);
    buf[buf.length - 1] = 9;
    expect(() => rowsOf(buf)).toThrow(
      expect.objectContaining({ details: { topic: 'orders', partition: 3, offset: 40 } }),
    );
  });

  it('never crash, hang or give garbage when their checksum is right but their bytes are not', () => {
    const random = seededRandom(20);
    const records = Array.from({ length: 8 }, (_, i) => ({
      key: `k${i}`,
      value: 'v'.repeat(i * 20),
      headers: [['h', 'x']] as const,
      timestamp: 1000 + i * 100_000,
    }));
    let refused = 0;
    for (const compression of COMPRESSIONS) {
      const whole = encodeRecordBatch(records, { now: 1, baseOffset: 5, compression });
      for (let round = 0; round < 400; round++) {
        const buf = Buffer.from(whole);
        for (let changes = 1 + randomInt(random, 3); changes > 0; changes--) {
          const at = BATCH.lastOffsetDelta + randomInt(random, buf.length - BATCH.lastOffsetDelta);
          buf[at] = randomInt(random, 256);
        }
        const code = codeOf(() => {
          for (const [offset] of rowsOf(seal(buf))) expect(offset >= 5 && offset < 2 ** 31 + 5).toBe(true);
        });
        expect(['nothing thrown', 'RECORD_BATCH_CORRUPT']).toContain(code);
        if (code !== 'nothing thrown') refused++;
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  it('with a varint that never ends are refused', () => {
    const buf = batch(['x'.repeat(100)]);
    buf.fill(0xff, BATCH.records);
    expect(codeOf(() => rowsOf(seal(buf)))).toBe('RECORD_BATCH_CORRUPT');
  });

  it('that claim more records than bytes take no memory for them', () => {
    const buf = batch(['a']);
    buf.writeInt32BE(0x7ffffffe, BATCH.lastOffsetDelta);
    buf.writeInt32BE(0x7fffffff, BATCH.recordCount);
    expect(codeOf(() => rowsOf(seal(buf)))).toBe('RECORD_BATCH_CORRUPT');
  });

  it('with a length that goes backwards do not loop', () => {
    for (const length of [-1, 0, 48, -(2 ** 31)]) {
      const buf = batch(['a']);
      buf.writeInt32BE(length, BATCH.batchLength);
      expect([length, codeOf(() => rowsOf(buf))]).toEqual([length, 'RECORD_BATCH_CORRUPT']);
    }
  });

  it('of the old formats are refused by name', () => {
    for (const magic of [0, 1]) {
      const buf = batch(['a']);
      buf[BATCH.magic] = magic;
      expect(codeOf(() => rowsOf(buf))).toBe('RECORD_BATCH_UNSUPPORTED');
    }
  });

  it('with an offset beyond 2^53−1 are refused', () => {
    const buf = batch(['a']);
    buf.writeBigInt64BE(2n ** 53n, BATCH.baseOffset);
    expect(codeOf(() => rowsOf(buf))).toBe('OFFSET_UNSAFE');
  });
});
