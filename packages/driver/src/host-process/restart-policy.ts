import type { Clock, ErrorRecord } from '@millrace/common';
import { KAFKA_AWAY_PAUSE_MS, kafkaTimeoutOf } from '../kafka-away.ts';

interface RestartLimits {
  readonly restartsMax: number;
  readonly windowMs: number;
}

/** 5 times in 10 minutes. */
const RESTART_LIMITS: RestartLimits = { restartsMax: 5, windowMs: 600_000 };

const FIRST_DELAY_MS = 500;

/** The restarts of one application's hosts. */
export class Restarts {
  readonly #clock: Clock;
  readonly #limits: RestartLimits;
  /** Monotonic times. */
  #at: number[] = [];
  /** Since when no host has found Kafka. */
  #kafkaAwaySince: number | undefined;

  constructor(clock: Clock, limits: RestartLimits = RESTART_LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#at.length;
  }

  /** Of a new run, none counts. */
  clear(): void {
    this.#at = [];
    this.#kafkaAwaySince = undefined;
  }

  /** A host runs. */
  started(): void {
    this.#kafkaAwaySince = undefined;
  }

  /**
   * How long to wait before a host is started again that ended for `why`: at once, then 0.5 s, 1 s, 2 s, 4 s; 'give-up' when there were too
   * many. Those that did not find Kafka count by time, not by number: a running one would wait as long.
   */
  next(why: ErrorRecord): number | 'give-up' {
    const kafkaTimeoutMs = kafkaTimeoutOf(why);
    if (kafkaTimeoutMs !== undefined) {
      const now = this.#clock.monotonic();
      return now - (this.#kafkaAwaySince ?? now) < kafkaTimeoutMs ? KAFKA_AWAY_PAUSE_MS : 'give-up';
    }
    const recent = this.#recent();
    if (recent >= this.#limits.restartsMax) return 'give-up';
    return recent === 0 ? 0 : FIRST_DELAY_MS * 2 ** (recent - 1);
  }

  /** Counts one for `why` that comes in `afterMs`. Returns whether it is the first one, and how many of how many it is. */
  note(why: ErrorRecord, afterMs: number): { readonly isFirst: boolean; readonly text: string } {
    const when = afterMs === 0 ? '' : ` in ${afterMs / 1000} s`;
    const now = this.#clock.monotonic();
    const kafkaTimeoutMs = kafkaTimeoutOf(why);
    if (kafkaTimeoutMs !== undefined) {
      const isFirst = this.#kafkaAwaySince === undefined;
      this.#kafkaAwaySince ??= now;
      const leftMs = this.#kafkaAwaySince + kafkaTimeoutMs - now;
      return { isFirst, text: `restart${when}; it waits for Kafka for ${Math.round(leftMs / 1000)} s more` };
    }
    this.#at.push(now);
    const number = this.#recent();
    return { isFirst: number === 1, text: `restart ${number} of ${this.#limits.restartsMax}${when}` };
  }

  #recent(): number {
    const now = this.#clock.monotonic();
    return this.#at.filter((at) => now - at < this.#limits.windowMs).length;
  }
}
