import { describe, expect, it } from '@jest/globals';
import { WireWriter } from '../wire/wire-writer.ts';
import { historyAfter, partitionOf } from './transaction-history.ts';

// As Apache Kafka 4.3.1 wrote them to __transaction_state-3 of 4; PREPARE_ABORT is PREPARE_COMMIT with another status.
const ID = 'millrace/once-c4567b0c/once-out-16464cbe-1917-4677-8d2c-966b75fcfd25/1';
const OUT = 'once-out-16464cbe-1917-4677-8d2c-966b75fcfd25';
const BOTH =
  '000100000000000000030027000493e0%032e6f6e63652d6f75742d31363436346362652d313931372d343637372d386432632d393636623735666366643235020000000100135f5f636f6e73756d65725f6f666673657473020000000000000001a20296f1e4000001a20296f1970100080000000000000003';
const ONGOING = Buffer.from(BOTH.replace('%', '01'), 'hex');
const PREPARE_COMMIT = Buffer.from(BOTH.replace('%', '02'), 'hex');
const PREPARE_ABORT = Buffer.from(BOTH.replace('%', '03'), 'hex');
const COMPLETE_COMMIT = Buffer.from(
  '000100000000000000030027000493e00401000001a20296f1e4000001a20296f1970100080000000000000003',
  'hex',
);
const EMPTY = Buffer.from(
  '000100000000000000030028000493e00000000001a202970941ffffffffffffffff0100080000000000000003',
  'hex',
);

const after = (...values: ReadonlyArray<Buffer | null>): ReturnType<typeof historyAfter> =>
  values.reduce<ReturnType<typeof historyAfter>>((known, value) => historyAfter(value, known), undefined);

describe('the log of a transaction coordinator', () => {
  it('is looked for where Kafka has put it', () => {
    expect(partitionOf(ID, 4)).toBe(3);
    // "polygenelubricants".hashCode() is the least int32, which has no absolute value.
    expect(partitionOf('polygenelubricants', 50)).toBe(0);
  });

  it('says who has the id, how its last transaction has ended, and what was written in it', () => {
    const partitions = [
      { topic: OUT, partition: 1 },
      { topic: '__consumer_offsets', partition: 0 },
    ];
    const owner = { producerId: 3n, epoch: 39 };
    const committed = { ...owner, commit: true, partitions };
    expect(after(ONGOING, PREPARE_COMMIT)).toEqual({ ...owner, end: committed });
    expect(after(ONGOING, PREPARE_COMMIT, COMPLETE_COMMIT, EMPTY)).toEqual({
      producerId: 3n,
      epoch: 40,
      end: committed,
    });
    expect(after(PREPARE_COMMIT, COMPLETE_COMMIT, EMPTY, ONGOING, PREPARE_ABORT)).toEqual({
      ...owner,
      end: { ...committed, commit: false },
    });
  });

  it('says nothing of a producer that has not ended one, or is forgotten, or whose log was compacted meanwhile', () => {
    expect(after(EMPTY, ONGOING)).toEqual({ producerId: 3n, epoch: 39 });
    expect(after(PREPARE_COMMIT, COMPLETE_COMMIT, null)).toBeUndefined();
    expect(after(PREPARE_ABORT, COMPLETE_COMMIT, EMPTY)).toEqual({ producerId: 3n, epoch: 40 });
  });

  it('is read as older brokers write it, and left alone as newer ones may', () => {
    const value = (version: number): Buffer => {
      const writer = new WireWriter().int16(version).int64(7).int16(1).int32(60_000).int8(2).int32(1);
      return Buffer.from(writer.string('t').int32(2).int32(0).int32(5).int64(1).int64(1).finish());
    };
    const owner = { producerId: 7n, epoch: 1 };
    const partitions = [0, 5].map((partition) => ({ topic: 't', partition }));
    expect(historyAfter(value(0), undefined)).toEqual({
      ...owner,
      end: { ...owner, commit: true, partitions },
    });
    expect(historyAfter(value(2), undefined)).toBeUndefined();
  });
});
