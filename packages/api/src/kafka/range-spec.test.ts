import { describe, expect, it } from '@jest/globals';
import { checkRanges, literalRanges, type RangeSpec } from './range-spec.ts';

describe('createRDD ranges', () => {
  it('need no look-up when all are offsets', () => {
    expect(literalRanges([{ topic: 't', partition: 0, from: 1, until: 2 }])).toMatchObject([
      { fromOffset: 1, untilOffset: 2 },
    ]);
    expect(literalRanges([{ topic: 't', from: 1, until: 2 }])).toBeUndefined();
    expect(literalRanges([{ topic: 't', partition: 0, from: 'earliest', until: 2 }])).toBeUndefined();
  });

  it.each([
    [2, 1],
    [-1, 1],
    [0, 2 ** 53],
    [0.5, 1],
  ])('refuse [%p, %p)', (from, until) => {
    expect(() => checkRanges([{ topic: 't', partition: 0, from, until }])).toThrow('OFFSET_RANGE_INVALID');
    // Also when Kafka must be asked for something else of it.
    expect(() => checkRanges([{ topic: 't', from, until }])).toThrow('OFFSET_RANGE_INVALID');
  });

  it('refuse all that are wrong at once', () => {
    const range = { topic: 't', partition: 0, from: 2, until: 1 };
    expect(() => checkRanges([range, { ...range, partition: 1 }, range])).toThrow(
      /4 problems.*of t-0 is not.*of t-1 is not.*of t-0 is not.*t-0 is listed twice/s,
    );
  });

  it('refuse a partition that is listed twice', () => {
    const range = { topic: 't', partition: 0, from: 1, until: 2 };
    expect(() => checkRanges([range, { ...range, from: 'earliest' }])).toThrow('t-0 is listed twice');
  });

  it.each(['Earliest', undefined, null, { timestamp: '1' }, { timestamp: -1 }])(
    'refuse the position %p',
    (position) => {
      const spec = { topic: 't', from: position, until: 'latest' } as unknown as RangeSpec;
      expect(() => checkRanges([spec])).toThrow('is no position');
    },
  );

  it('take every position that there is', () => {
    const given: RangeSpec[] = [
      { topic: 't', from: 'earliest', until: 'latest' },
      { topic: 'u', partition: 0, from: { timestamp: 5 }, until: 7 },
      { topic: 'v', partition: 0, from: 5, until: 'latest' },
    ];
    expect(checkRanges(given)).toEqual(given);
  });
});
