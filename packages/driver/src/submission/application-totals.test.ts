import { describe, expect, it } from '@jest/globals';
import type { AccumulatorChange } from '@millrace/api/internal';
import { NO_SUMS } from '../application/log/logged-sums.ts';
import type { BatchSummary } from '../application-events.ts';
import { NO_TOTALS, recounted, withBatch } from './application-totals.ts';

const batch = (accumulators: readonly AccumulatorChange[]): BatchSummary => ({
  number: 1,
  batchTime: 1000,
  records: 10,
  span: 12,
  tasks: 1,
  failedAttempts: 0,
  lag: 4,
  schedulingMs: 1,
  processingMs: 2,
  totalMs: 3,
  coalescedIntervals: 0,
  batchIntervalMs: 1000,
  accumulators,
});

describe('the totals of a run', () => {
  it('sum what batches left out, of all streams, by kind; what users count by such a name is theirs', () => {
    const first = batch([
      { name: 'skipped, undecodable (topics a)', value: 2, added: 2, leftOut: 'undecodable' },
      { name: 'skipped, undecodable (topics b)', value: 1, added: 1, leftOut: 'undecodable' },
      { name: 'skipped, deleted by retention (topics a)', value: 30, added: 30, leftOut: 'deleted' },
      { name: 'skipped, undecodable (topics a)', value: 900, added: 900 },
    ]);
    const second = batch([
      { name: 'skipped, undecodable (topics a)', value: 7, added: 5, leftOut: 'undecodable' },
      { name: 'dead letters (topics c)', value: 4, added: 4, leftOut: 'dead-letters' },
    ]);
    expect(withBatch(withBatch(NO_TOTALS, first), second)).toEqual({
      batches: 2,
      records: 20,
      undecodable: 8,
      deleted: 30,
      deadLetters: 4,
      lag: 4,
      lastBatchTime: 1000,
      lastProcessingMs: 2,
    });
  });

  it('are what the log says of the run, of which its hosts may not have told all', () => {
    const from = { ...NO_SUMS, batches: 5, records: 50, deadLetters: 1 };
    const told = withBatch(NO_TOTALS, batch([]));
    const sums = { ...NO_SUMS, batches: 7, records: 72, deadLetters: 4, undecodable: 2 };
    const { totals, countedFrom } = recounted(told, sums, from);
    expect(totals).toEqual({ ...told, batches: 2, records: 22, deadLetters: 3, undecodable: 2 });
    expect(countedFrom).toEqual(from);
  });

  it('go on from what is known of a run that began before logs had sums, or where they begin again', () => {
    const told = withBatch(withBatch(NO_TOTALS, batch([])), batch([]));
    for (const from of [undefined, { ...NO_SUMS, batches: 900, records: 9_000 }]) {
      const first = recounted(told, { ...NO_SUMS, batches: 1, records: 3 }, from);
      expect(first.totals).toEqual(told);
      const then = recounted(first.totals, { ...NO_SUMS, batches: 2, records: 7 }, first.countedFrom);
      expect(then.totals).toMatchObject({ batches: 3, records: 24 });
    }
  });
});
