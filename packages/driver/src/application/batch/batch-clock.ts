import type { Clock } from '@millrace/common';

/** One beat: the batch of `batchTime` covers (previous, batchTime]. */
export interface Tick {
  /** A multiple of the interval; strictly greater than that of the tick before. */
  readonly batchTime: number;
  /** The batch time before; undefined for the first batch of an application. */
  readonly previous: number | undefined;
  /** Intervals that the batch covers, at least 1. */
  readonly intervals: number;
  /** Ticks that were due and are covered by this one: `intervals` − 1. */
  readonly coalesced: number;
  /** Monotonic time (ms) at which the batch could have begun: scheduling delay is counted from here. */
  readonly dueAt: number;
}

/**
 * The batch time after `last`: the latest due tick, never one that was before. So missed ticks (a pause, a recovery, a slow
 * batch) are one batch, never a flood (Spark's JobGenerator.restart schedules each of them).
 */
export function nextBatchTime(last: number | undefined, now: number, intervalMs: number): number {
  const due = Math.floor(now / intervalMs) * intervalMs;
  // A first batch waits for its tick. After `last` an interval may be another one than before a restart: align upwards.
  if (last === undefined) return due + intervalMs;
  return Math.max((Math.floor(last / intervalMs) + 1) * intervalMs, due);
}

/**
 * Beats the batch times of one application run. The wall clock is read once, at the start; from then on only monotonic time
 * counts, so that a jump of the wall clock neither floods nor stalls. Batch times go on from the log even when the wall clock
 * was set back in between.
 */
export class BatchClock {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** Logical time = monotonic time + this. */
  readonly #offset: number;
  #last: number | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly intervalMs: number;
    /** Last batch time in the log. */
    readonly last: number | undefined;
  }) {
    this.#clock = options.clock;
    this.#intervalMs = options.intervalMs;
    this.#last = options.last;
    const start = Math.max(options.clock.now(), options.last ?? Number.NEGATIVE_INFINITY);
    this.#offset = start - options.clock.monotonic();
  }

  /** Waits for the next tick. Rejects with the signal's reason when it is aborted. */
  async next(signal: AbortSignal): Promise<Tick> {
    signal.throwIfAborted();
    const previous = this.#last;
    const batchTime = nextBatchTime(previous, this.#now(), this.#intervalMs);
    const dueAt = batchTime - this.#offset;
    // A stream that is behind must not keep the process from its other work.
    if (dueAt <= this.#clock.monotonic()) await this.#clock.sleep(0, signal);
    // Node's timers have a resolution of 1 ms and may fire a little early.
    for (let wait = batchTime - this.#now(); wait > 0; wait = batchTime - this.#now()) {
      await this.#clock.sleep(Math.ceil(wait), signal);
    }
    this.#last = batchTime;
    const intervals =
      previous === undefined ? 1 : Math.max(1, Math.round((batchTime - previous) / this.#intervalMs));
    return { batchTime, previous, intervals, coalesced: intervals - 1, dueAt };
  }

  #now(): number {
    return this.#clock.monotonic() + this.#offset;
  }
}
