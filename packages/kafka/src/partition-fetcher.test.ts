import { describe, expect, it } from '@jest/globals';
import { resolveConfig, seededRandom, systemClock } from '@millrace/common';
import { KAFKA_OPTIONS } from './kafka-options.ts';
import { type FetchContext, PartitionFetcher } from './partition-fetcher.ts';
import type { FetchResponse } from './protocol/fetch-api.ts';
import { encodeRecordBatch } from './records/record-batch-encoder.ts';
import { BATCH } from './records/record-batch-header.ts';
import { Retrier } from './retrier.ts';

const TP = { topic: 'orders', partition: 3 };
const POSITION = { offset: 10, epoch: -1, untilOffset: 20 };

function response(batches: Buffer, more: Partial<FetchResponse> = {}): FetchResponse {
  return {
    error: 0,
    highWatermark: 20,
    lastStableOffset: 20,
    logStartOffset: 0,
    aborted: [],
    diverging: undefined,
    buf: batches,
    start: 0,
    end: batches.length,
    ...more,
  };
}

/** A leader that gives these answers, the last one again and again. */
function fetcherOf(...answers: readonly FetchResponse[]): { fetcher: PartitionFetcher; asked: object[] } {
  const asked: object[] = [];
  const connection = {
    address: 'a:1',
    versionOf: () => 13,
    call: async (_api: unknown, request: object) => {
      asked.push(request);
      return answers[Math.min(asked.length, answers.length) - 1];
    },
  };
  const options = resolveConfig(KAFKA_OPTIONS, { brokers: 'a:1', fetchTimeoutMs: 300 }, 'kafka');
  const context = {
    pool: { toNode: async () => connection },
    metadata: { leader: async () => ({ leaderId: 1, leaderEpoch: 2, topicId: 'id' }), invalidate: () => {} },
    retrier: new Retrier(systemClock, seededRandom(1), ['a:1']),
    options,
    now: () => systemClock.monotonic(),
  } as unknown as FetchContext;
  return { fetcher: new PartitionFetcher(context, TP, 'read_committed', 'id'), asked };
}

function batch(baseOffset: number, values: readonly string[]): Buffer {
  return encodeRecordBatch(
    values.map((value) => ({ value })),
    { now: 1, baseOffset },
  );
}

const never = new AbortController().signal;

describe('PartitionFetcher', () => {
  it('goes on after the last whole batch, over gaps', async () => {
    const whole = batch(15, ['a', 'b']);
    const cut = Buffer.concat([whole, batch(17, ['c']).subarray(0, 50)]);
    const { fetcher } = fetcherOf(response(cut));
    expect((await fetcher.fetch(POSITION, never)).next.offset).toBe(17);
  });

  it('refuses at once a batch whose length is damaged, and batches that lie before the position', async () => {
    const damaged = Buffer.from(batch(10, ['a']));
    damaged.writeInt32BE(2 ** 30, BATCH.batchLength);
    for (const bytes of [damaged, batch(8, ['a', 'b'])]) {
      const { fetcher, asked } = fetcherOf(response(bytes));
      await expect(fetcher.fetch(POSITION, never)).rejects.toMatchObject({
        code: 'RECORD_BATCH_CORRUPT',
        details: { ...TP, offset: 10 },
      });
      expect(asked).toHaveLength(1);
    }
  });

  it('asks with the epoch that the leader knows when the one it planned with left no trace', async () => {
    const diverging = response(Buffer.alloc(0), { diverging: { epoch: 0, endOffset: 10 } });
    const { fetcher, asked } = fetcherOf(diverging, response(batch(10, ['a'])));
    expect((await fetcher.fetch({ ...POSITION, epoch: 1 }, never)).next.offset).toBe(11);
    expect(asked).toMatchObject([{ lastFetchedEpoch: 1 }, { lastFetchedEpoch: 0 }]);
  });

  it('tells a truncated log by where the epoch ends', async () => {
    const { fetcher } = fetcherOf(response(Buffer.alloc(0), { diverging: { epoch: 1, endOffset: 9 } }));
    await expect(fetcher.fetch({ ...POSITION, epoch: 1 }, never)).rejects.toMatchObject({
      code: 'LOG_TRUNCATED',
      details: { endOffset: 9 },
    });
  });

  it('goes on when it was throttled', async () => {
    const throttled = response(Buffer.alloc(0), { highWatermark: -1, lastStableOffset: -1 });
    const { fetcher } = fetcherOf(throttled, throttled, response(batch(10, ['a'])));
    expect((await fetcher.fetch(POSITION, never)).next.offset).toBe(11);
  });
});
