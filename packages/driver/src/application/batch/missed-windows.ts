import { missedSlides, type StreamReach } from '@millrace/api/internal';
import type { Clock } from '@millrace/common';
import type { Tick } from './batch-clock.ts';

/** A job that is always behind is told of once in a while. */
const NOTICE_INTERVAL_MS = 60_000;

/**
 * Windows that ended within the intervals of one batch, besides the one that it computes: while the application was down, or its batches were late.
 * They are counted and told, never computed.
 */
export class MissedWindows {
  readonly #clock: Clock;
  readonly #windows: StreamReach['windows'];
  readonly #notice: (text: string) => void;
  #told = Number.NEGATIVE_INFINITY;
  #missed = 0;

  constructor(clock: Clock, { windows }: StreamReach, notice: (text: string) => void) {
    this.#clock = clock;
    this.#windows = windows;
    this.#notice = notice;
  }

  count({ batchTime, previous }: Pick<Tick, 'batchTime' | 'previous'>): void {
    for (const { slideMs } of this.#windows)
      this.#missed += missedSlides(slideMs, { time: batchTime, previous });
    const now = this.#clock.monotonic();
    if (this.#missed === 0 || now - this.#told < NOTICE_INTERVAL_MS) return;
    const until = new Date(batchTime).toISOString();
    this.#notice(
      `${this.#missed} windows that ended before batch ${until} are left out: no batch ran when they were due. Their records are in later windows that reach back to them`,
    );
    this.#told = now;
    this.#missed = 0;
  }
}
