import type { BatchSummary } from '../application-events.ts';

/** What an application did in this run, over all of its hosts and drivers. */
export interface Totals {
  readonly batches: number;
  readonly records: number;
  readonly lag: number;
  readonly lastBatchTime: number;
  readonly lastProcessingMs: number;
}

export const NO_TOTALS: Totals = { batches: 0, records: 0, lag: 0, lastBatchTime: 0, lastProcessingMs: 0 };

export function withBatch({ batches, records }: Totals, batch: BatchSummary): Totals {
  return {
    batches: batches + 1,
    records: records + batch.records,
    lag: batch.lag,
    lastBatchTime: batch.batchTime,
    lastProcessingMs: batch.processingMs,
  };
}
