import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { columnDecoder, KafkaRow } from '../pipeline/kafka-row.ts';
import { columns } from '../pipeline/testing/pipeline-setup.ts';
import { RowBuffer } from './row-block.ts';
import { sizeOf } from './value-size.ts';

setFlagsFromString('--expose-gc');
/** Of an array, for one of them. */
const SLOT_BYTES = 8;
const collectGarbage = runInNewContext('gc') as () => void;

/** What `count` texts of `make`, which share nothing, take in memory, with an array of them. */
function takenBy(
  count: number,
  make: (index: number) => string,
): { readonly texts: string[]; readonly bytes: number } {
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const texts = Array.from({ length: count }, (_, index) => Buffer.from(make(index)).toString());
  collectGarbage();
  return { texts, bytes: process.memoryUsage().heapUsed - before };
}

describe('the estimate of what a value takes', () => {
  it('counts the bytes of a record, alone or in others', () => {
    const utf8 = columnDecoder('utf8', undefined);
    const decoders = { key: utf8, keyNullable: true, value: utf8, valueNullable: true };
    const [long, none] = [0, 1].map((row) => new KafkaRow(columns(['x'.repeat(5_000), null]), row, decoders));
    expect(sizeOf(long)).toBeGreaterThan(5_000);
    expect(sizeOf([1, { row: long }])).toBeGreaterThan(5_000);
    expect(sizeOf(none)).toBeLessThan(100);
  });

  it('counts the digits of a large bigint', () => {
    expect(sizeOf(2n ** 80_000n)).toBeGreaterThan(10_000);
    expect(sizeOf([-(2n ** 80_000n)])).toBeGreaterThan(10_000);
    expect(sizeOf(2n ** 62n)).toBeLessThan(100);
  });

  it.each([
    ['ASCII', 'x', ''],
    ['Cyrillic', 'ж', ''],
    ['one wide unit', 'x', '…'],
  ])('is no less than V8 takes for texts: %s', (_, filler, end) => {
    for (const length of [16, 1_000]) {
      const { texts, bytes } = takenBy(
        4_000_000 / length,
        (index) => `${index}`.padEnd(length, filler) + end,
      );
      const buffer = new RowBuffer('');
      let estimate = 0;
      for (const text of texts) {
        estimate += SLOT_BYTES + sizeOf(text);
        buffer.add(text, 1);
      }
      expect(estimate).toBeGreaterThan(0.95 * bytes);
      expect(estimate).toBeLessThan(2 * bytes);
      expect(buffer.bytes).toBeGreaterThan(estimate);
    }
  });
});
