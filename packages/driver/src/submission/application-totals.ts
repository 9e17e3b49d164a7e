import { type LoggedSums, leftOutOf, minus, sumsAfter } from '../application/log/logged-sums.ts';
import type { BatchSummary } from '../application-events.ts';

/** What an application did in this run, over all of its hosts and drivers. */
export interface Totals extends LoggedSums {
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
  return {
    ...sumsAfter(totals, { records: batch.records, ...leftOutOf(batch.accumulators) }),
    lag: batch.lag,
    lastBatchTime: batch.batchTime,
    lastProcessingMs: batch.processingMs,
  };
}

/**
 * What the log says counts: of batches whose host died before it told of them, it knows. `from`: its sums before the run; absent, or no
 * beginning of what it says now, as when another version wrote it meanwhile: it goes on from what is known of the run.
 */
export function recounted(
  totals: Totals,
  sums: LoggedSums,
  from: LoggedSums | undefined,
): { readonly totals: Totals; readonly countedFrom: LoggedSums } {
  if (from === undefined || sums.batches - from.batches < totals.batches)
    return { totals, countedFrom: minus(sums, totals) };
  return { totals: { ...totals, ...minus(sums, from) }, countedFrom: from };
}
