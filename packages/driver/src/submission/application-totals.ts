import type { BatchSummary } from '../application-events.ts';

/** What an application did in this run, over all of its hosts and drivers. */
export interface Totals {
  readonly batches: number;
  readonly records: number;
  /** Left out, because they do not decode. */
  readonly undecodable: number;
  /** Offsets that retention had deleted before they were read. */
  readonly deleted: number;
  /** Records that were written to dead-letter topics. */
  readonly deadLetters: number;
  readonly lag: number;
  readonly lastBatchTime: number;
  readonly lastProcessingMs: number;
}

export const NO_TOTALS: Totals = {
  batches: 0,
  records: 0,
  undecodable: 0,
  deleted: 0,
  deadLetters: 0,
  lag: 0,
  lastBatchTime: 0,
  lastProcessingMs: 0,
};

export function withBatch(totals: Totals, batch: BatchSummary): Totals {
  let { undecodable, deleted, deadLetters } = totals;
  for (const { leftOut, added = 0 } of batch.accumulators) {
    if (leftOut === 'undecodable') undecodable += added;
    else if (leftOut === 'deleted') deleted += added;
    else if (leftOut === 'dead-letters') deadLetters += added;
  }
  return {
    batches: totals.batches + 1,
    records: totals.records + batch.records,
    undecodable,
    deleted,
    deadLetters,
    lag: batch.lag,
    lastBatchTime: batch.batchTime,
    lastProcessingMs: batch.processingMs,
  };
}
