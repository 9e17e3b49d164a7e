import { describe, expect, it } from '@jest/globals';
import type { AccumulatorChange } from '@millrace/api/internal';
import type { BatchSummary } from '../application-events.ts';
import { NO_TOTALS, withBatch } from './application-totals.ts';

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
});
