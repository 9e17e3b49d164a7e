import { describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom } from '@millrace/common';
import type { ProduceRecord } from '../kafka-port.ts';
import { murmur2 } from './murmur2.ts';
import { Partitioner, partitionOfKey } from './partitioner.ts';
import { batchesOf } from './record-accumulator.ts';
import { Turnstile } from './turnstile.ts';

const LIMITS = { bytesMax: 1000, recordsMax: 4 };

function batches(records: readonly ProduceRecord[], partitions = 3, limits = LIMITS) {
  return batchesOf('t', records, partitions, new Partitioner(seededRandom(1), 200), limits);
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'nothing thrown';
}

describe('murmur2', () => {
  it('agrees with the values that Java’s UtilsTest expects', () => {
    const cases: readonly [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ];
    for (const [key, hash] of cases) expect([key, murmur2(Buffer.from(key))]).toEqual([key, hash]);
    expect(murmur2(Buffer.from([97, 98, 99]))).toBe(479470107);
  });

  it('gives a text and its bytes the same partition, long and short', () => {
    for (const key of ['', 'é', 'k'.repeat(2000)])
      expect(partitionOfKey(key, 17)).toBe(partitionOfKey(Buffer.from(key), 17));
  });
});

describe('batches of a send', () => {
  it('keep the order within a partition, and end at the limits of records and bytes', () => {
    const records = Array.from({ length: 10 }, (_, i) => ({ value: String(i), partition: i % 2 }));
    const sorted = batches(records).map((p) => [
      p.partition,
      p.batches.map((b) => b.records.map((r) => r.value)),
    ]);
    expect(sorted).toEqual([
      [0, [['0', '2', '4', '6'], ['8']]],
      [1, [['1', '3', '5', '7'], ['9']]],
    ]);
    const large = Array.from({ length: 3 }, () => ({ value: 'x'.repeat(600), partition: 0 }));
    expect(batches(large)[0]?.batches.map((b) => b.records.length)).toEqual([1, 1, 1]);
  });

  it('spread records without a key, many at a time', () => {
    const records = Array.from({ length: 200 }, () => ({ value: 'x'.repeat(20) }));
    const sizes = batches(records, 3, { bytesMax: 1000, recordsMax: 1000 }).map(
      (p) => p.batches.flatMap((b) => b.records).length,
    );
    expect(sizes).toHaveLength(3);
    expect(sizes.reduce((a, b) => a + b)).toBe(200);
  });

  it('refuse what cannot be sent before anything is', () => {
    const number = 5 as unknown as string;
    expect(codeOf(() => batches([{ value: 'x'.repeat(2000) }]))).toBe('RECORD_TOO_LARGE');
    expect(codeOf(() => batches([{ value: number }]))).toBe('BAD_REQUEST');
    expect(codeOf(() => batches([{ value: null, timestamp: 1.5 }]))).toBe('BAD_REQUEST');
    expect(codeOf(() => batches([{ value: null, partition: 3 }]))).toBe('UNKNOWN_PARTITION');
    expect(codeOf(() => batches([{ value: null, partition: -1 }]))).toBe('UNKNOWN_PARTITION');
  });
});

describe('Turnstile', () => {
  it('never lets more in than there are places, and goes on after a failure', async () => {
    const turnstile = new Turnstile(2);
    let inside = 0;
    let most = 0;
    const work = Array.from({ length: 9 }, async (_, i) =>
      turnstile.run(async () => {
        most = Math.max(most, ++inside);
        await Promise.resolve();
        inside--;
        if (i % 3 === 0) throw new Error('no');
      }),
    );
    const results = await Promise.allSettled(work);
    expect(most).toBe(2);
    expect(results.filter((r) => r.status === 'rejected')).toHaveLength(3);
  });
});
