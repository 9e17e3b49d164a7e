import type { Clock, Logger, Timer } from '@millrace/common';
import type { LoggedSums } from '../application/log/logged-sums.ts';
import type { BatchSummary } from '../application-events.ts';
import { NO_TOTALS, recounted, type Totals, withBatch } from './application-totals.ts';
import type { SubmissionRecord, SubmissionStore } from './submission-store.ts';

/** What `status` counts may lack so much after a kill -9 of the driver, until a host starts again and says what the log counts. */
const TOTALS_SAVED_EVERY_MS = 5_000;

export interface KeptRecordDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: SubmissionStore;
}

/** What the driver must know of an application after its own restart, in memory and in the store. */
export class KeptRecord {
  readonly #deps: KeptRecordDeps;
  #current: SubmissionRecord;
  #counting: Timer | undefined;

  constructor(record: SubmissionRecord, { clock, logger, store }: KeptRecordDeps) {
    this.#current = record;
    this.#deps = { clock, logger, store };
  }

  get current(): SubmissionRecord {
    return this.#current;
  }

  get totals(): Totals {
    // What an earlier version did not count it did not keep.
    return { ...NO_TOTALS, ...this.#current.totals };
  }

  /** In memory; see `save`. */
  replace(record: SubmissionRecord): void {
    this.#current = record;
  }

  count(batch: BatchSummary): void {
    this.#current = { ...this.#current, totals: withBatch(this.totals, batch) };
    this.#counting ??= this.#deps.clock.schedule(TOTALS_SAVED_EVERY_MS, () => void this.saveLater(), {
      unref: true,
    });
  }

  /** What the log says of this run, and all before it. */
  recount(sums: LoggedSums): void {
    const { countedFrom } = this.#current;
    this.#current = { ...this.#current, ...recounted(this.totals, sums, countedFrom) };
  }

  /** Durable when it resolves. */
  async save(): Promise<void> {
    this.#counting?.cancel();
    this.#counting = undefined;
    await this.#deps.store.save(this.#current);
  }

  /** For what a crash may lose. Never rejects. */
  async saveLater(): Promise<void> {
    const { logger } = this.#deps;
    try {
      await this.save();
    } catch (error) {
      const { name } = this.#current;
      logger.error({ err: error, application: name }, 'the state of an application was not saved');
    }
  }

  /** The driver ends: what was counted meanwhile is kept. */
  async end(): Promise<void> {
    if (this.#counting) await this.saveLater();
  }
}
