import { describe, expect, it } from '@jest/globals';
import { ReadRanges } from './read-ranges.ts';

const range = (fromOffset: number, untilOffset: number, topic = 't', partition = 0) => ({
  topic,
  partition,
  fromOffset,
  untilOffset,
});

describe('what has been read', () => {
  it('is one range when it touches, in whatever order it came', () => {
    const ranges = new ReadRanges();
    for (const [from, until] of [
      [20, 30],
      [0, 10],
      [10, 20],
      [5, 5],
      [25, 40],
    ] as const)
      ranges.add(range(from, until));
    expect(ranges.within([range(39, 50)])).toEqual([range(0, 40)]);
    expect(ranges.within([range(40, 50), range(0, 9, 't', 1), range(0, 9, 'u')])).toEqual([]);
  });

  it('has gaps, and tells of what lies in the ranges that are asked for, once', () => {
    const ranges = new ReadRanges();
    for (const from of [0, 10, 20]) ranges.add(range(from, from + 5));
    expect(ranges.within([range(3, 11), range(12, 14)])).toEqual([range(0, 5), range(10, 15)]);
  });

  it('is bounded: the oldest are forgotten', () => {
    const ranges = new ReadRanges();
    for (let from = 0; from < 4000; from += 2) ranges.add(range(from, from + 1));
    expect(ranges.within([range(0, 4000)])).toHaveLength(1000);
    expect(ranges.within([range(0, 100)])).toEqual([]);
  });
});
