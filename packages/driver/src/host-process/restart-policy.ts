import type { Clock } from '@millrace/common';

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
  }

  /** How long to wait before a crashed host is started again: at once, then 0.5 s, 1 s, 2 s, 4 s; 'give-up' when there were too many. */
  next(): number | 'give-up' {
    const recent = this.#recent();
    if (recent >= this.#limits.restartsMax) return 'give-up';
    return recent === 0 ? 0 : FIRST_DELAY_MS * 2 ** (recent - 1);
  }

  /** Counts one that comes in `afterMs`. Returns how many of how many it is. */
  note(afterMs: number): { readonly number: number; readonly text: string } {
    this.#at.push(this.#clock.monotonic());
    const number = this.#recent();
    const when = afterMs === 0 ? '' : ` in ${afterMs / 1000} s`;
    return { number, text: `restart ${number} of ${this.#limits.restartsMax}${when}` };
  }

  #recent(): number {
    const now = this.#clock.monotonic();
    return this.#at.filter((at) => now - at < this.#limits.windowMs).length;
  }
}
