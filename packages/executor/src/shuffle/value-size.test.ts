import { describe, expect, it } from '@jest/globals';
import { columnDecoder, KafkaRow } from '../pipeline/kafka-row.ts';
import { columns } from '../pipeline/testing/pipeline-setup.ts';
import { sizeOf } from './value-size.ts';

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
});
