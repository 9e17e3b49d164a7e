import type { BatchSummary } from '../application-events.ts';

/** What an application did in this run, as far as this driver saw it. */
export class ApplicationTotals {
  batches = 0;
  records = 0;
  lag = 0;
  lastBatchTime = 0;
  lastProcessingMs = 0;

  add(batch: BatchSummary): void {
    this.batches++;
    this.records += batch.records;
    this.lag = batch.lag;
    this.lastBatchTime = batch.batchTime;
    this.lastProcessingMs = batch.processingMs;
  }

  reset(): void {
    this.batches = 0;
    this.records = 0;
    this.lag = 0;
    this.lastBatchTime = 0;
    this.lastProcessingMs = 0;
  }
}
