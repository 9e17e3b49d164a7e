import { describe, expect, it } from '@jest/globals';
import { offsetSpan } from '@millrace/kafka';
import * as fc from 'fast-check';
import { type BatchLimits, creditedMs, type PartitionOffsets, planOffsets } from './offset-planner.ts';

const none: BatchLimits = {
  maxRatePerPartition: Number.POSITIVE_INFINITY,
  maxRecordsPerBatch: Number.POSITIVE_INFINITY,
  minRecordsPerPartitionPerBatch: 1,
  elapsedMs: 1_000,
  number: 1,
};

function partitions(...lags: number[]): PartitionOffsets[] {
  return lags.map((lag, partition) => ({
    topic: 'views',
    partition,
    position: 100,
    latest: 100 + lag,
    topicId: 'id',
    leaderEpoch: 3,
    latestEpoch: 3,
  }));
}

const spans = (lags: number[], limits: Partial<BatchLimits>): number[] =>
  planOffsets(partitions(...lags), { ...none, ...limits }).map((range) => offsetSpan(range));

describe('the offset planner', () => {
  it.each<[string, number[], Partial<BatchLimits>, number[]]>([
    ['takes everything without limits', [5, 0, 7], {}, [5, 0, 7]],
    ['makes no ranges of no partitions', [], {}, []],
    ['clamps each partition by its rate', [500, 5, 0], { maxRatePerPartition: 100 }, [100, 5, 0]],
    ['counts the elapsed time', [500, 5], { maxRatePerPartition: 100, elapsedMs: 2_500 }, [250, 5]],
    ['lets a slow rate never round to nothing', [500], { maxRatePerPartition: 1, elapsedMs: 10 }, [1]],
    [
      'allows the minimum above the rate',
      [500],
      { maxRatePerPartition: 1, elapsedMs: 10, minRecordsPerPartitionPerBatch: 20 },
      [20],
    ],
    ['shares the batch in proportion to lag', [900, 100], { maxRecordsPerBatch: 102 }, [91, 11]],
    ['gives the rest to the largest remainder', [10, 10, 10], { maxRecordsPerBatch: 10 }, [4, 3, 3]],
    ['starves nobody beside a huge lag', [1_000_000_000, 1, 1], { maxRecordsPerBatch: 10 }, [8, 1, 1]],
    [
      'gives what a limited partition cannot take to the others',
      [1_000, 500, 400],
      { maxRatePerPartition: 400, maxRecordsPerBatch: 1_000 },
      [400, 333, 267],
    ],
    [
      'takes turns when there are more partitions than records',
      [9, 9, 9, 9],
      { maxRecordsPerBatch: 2, number: 0 },
      [1, 1, 0, 0],
    ],
    [
      'takes the next turn in the next batch',
      [9, 9, 9, 9],
      { maxRecordsPerBatch: 2, number: 1 },
      [0, 0, 1, 1],
    ],
    ['makes at least one record of a limit below one', [9], { maxRecordsPerBatch: 0.5 }, [1]],
  ])('%s', (_, lags, limits, expected) => {
    expect(spans(lags, limits)).toEqual(expected);
  });

  it('sorts by topic and partition, and keeps topic id and leader epochs: an empty range tells of no other, an unknown one is that of the end', () => {
    const a = { topic: 'a', topicId: undefined, leaderEpoch: -1, latestEpoch: 9 };
    const b = { topic: 'b', topicId: 'B', leaderEpoch: 7, latestEpoch: 8 };
    const ranges = planOffsets(
      [
        { ...b, partition: 1, position: 2, latest: 2 },
        { ...b, partition: 0, position: 1, latest: 2 },
        { ...a, partition: 10, position: 1, latest: 1 },
        { ...a, partition: 9, position: 0, latest: 1 },
      ],
      none,
    );
    expect(ranges).toEqual([
      { topic: 'a', partition: 9, fromOffset: 0, untilOffset: 1, leaderEpoch: 9, untilEpoch: 9 },
      { topic: 'a', partition: 10, fromOffset: 1, untilOffset: 1, leaderEpoch: -1, untilEpoch: -1 },
      {
        topic: 'b',
        partition: 0,
        fromOffset: 1,
        untilOffset: 2,
        topicId: 'B',
        leaderEpoch: 7,
        untilEpoch: 8,
      },
      {
        topic: 'b',
        partition: 1,
        fromOffset: 2,
        untilOffset: 2,
        topicId: 'B',
        leaderEpoch: 7,
        untilEpoch: 7,
      },
    ]);
  });

  it('refuses to plan beyond what Kafka has', () => {
    expect(() => planOffsets([{ ...partitions(5)[0], latest: 90 } as PartitionOffsets], none)).toThrow(
      /invariant/,
    );
  });

  it('credits an outage with ten intervals, and short intervals with a second', () => {
    expect(creditedMs(28_800, 1_000)).toBe(10_000);
    expect(creditedMs(50, 10)).toBe(500);
    expect(creditedMs(5_000, 10)).toBe(1_000);
    expect(creditedMs(1, 60_000)).toBe(60_000);
  });

  it('never exceeds the batch, the rate or the lag, wastes nothing, and serves everybody', () => {
    const lag = fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 2 ** 45 }),
    );
    fc.assert(
      fc.property(
        fc.array(lag, { maxLength: 30 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 5_000 })),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 1, max: 1_000 }),
        (lags, cap, rate, minimum, number) => {
          const given = spans(lags, {
            maxRecordsPerBatch: cap,
            maxRatePerPartition: rate,
            minRecordsPerPartitionPerBatch: minimum,
            number,
          });
          const total = given.reduce((a, b) => a + b, 0);
          const perPartition = Math.max(rate, minimum, 1);
          const possible = lags.reduce((a, b) => a + Math.min(b, perPartition), 0);
          expect(total).toBe(Math.min(cap, possible));
          given.forEach((records, index) => {
            expect(records).toBeLessThanOrEqual(Math.min(lags[index] ?? 0, perPartition));
          });
          const lagging = lags.filter((each) => each > 0).length;
          if (lagging * Math.max(minimum, 1) <= cap) {
            given.forEach((records, index) => {
              expect(records).toBeGreaterThanOrEqual(Math.min(lags[index] ?? 0, Math.max(minimum, 1)));
            });
          }
        },
      ),
    );
  });

  it('serves every partition within a round of turns', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 10 }), (count, cap) => {
        const served = new Set<number>();
        for (let number = 1; number <= count; number++) {
          spans(
            Array.from({ length: count }, () => 1_000),
            { maxRecordsPerBatch: cap, number },
          ).forEach((records, index) => {
            if (records > 0) served.add(index);
          });
        }
        expect(served.size).toBe(count);
      }),
    );
  });
});
