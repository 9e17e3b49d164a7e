import { type Clock, MillraceError, type Timer } from '@millrace/common';

const LOOK_MS = 1_000;
/** A drain that takes longer becomes a stop, and says so. */
const LOOKS_MAX = 30;
/** An executor that was lost may be on its way back: it tries at least once a second. */
const STALLED_LOOKS_MAX = 5;

export interface DrainOptions {
  readonly clock: Clock;
  /** Tasks wait, and there is no executor. */
  readonly isStalled: () => boolean;
  readonly cancel: (why: MillraceError) => void;
}

/**
 * The wait for the last batch of an application: bounded, and not for what cannot come. It counts looks, not time: of a process, or
 * a machine, that stood still meanwhile the batch got nothing, and when it goes on nobody has had the time to come back.
 */
export class Drain {
  readonly #options: DrainOptions;
  #timer: Timer;
  #looks = 0;
  /** In a row. */
  #stalledLooks = 0;

  constructor(options: DrainOptions) {
    this.#options = options;
    this.#timer = this.#lookLater();
  }

  end(): void {
    this.#timer.cancel();
  }

  #lookLater(): Timer {
    return this.#options.clock.schedule(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const { isStalled, cancel } = this.#options;
    this.#looks++;
    this.#stalledLooks = isStalled() ? this.#stalledLooks + 1 : 0;
    if (this.#stalledLooks === STALLED_LOOKS_MAX)
      cancel(unfinished('and there is no executor that could finish it'));
    else if (this.#looks === LOOKS_MAX)
      cancel(unfinished(`${(LOOKS_MAX * LOOK_MS) / 1000} s after the stop was asked for`));
    else this.#timer = this.#lookLater();
  }
}

function unfinished(when: string): MillraceError {
  return new MillraceError('DRAIN_TIMEOUT', `the running batch was not done ${when}: it was cancelled`, {
    remedy:
      'Nothing is lost: the batch runs again, with the same offsets, when the application starts again.',
  });
}
