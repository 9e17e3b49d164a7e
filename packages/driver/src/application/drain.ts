import { type Clock, MillraceError, type Timer } from '@millrace/common';

/** A drain that takes longer becomes a stop, and says so. */
const DRAIN_TIMEOUT_MS = 30_000;
/** An executor that was lost may be on its way back. */
const NO_EXECUTOR_MS = 2_000;

export interface DrainOptions {
  readonly clock: Clock;
  /** Tasks wait, and there is no executor. */
  readonly isStalled: () => boolean;
  readonly cancel: (why: MillraceError) => void;
}

/** The wait for the last batch of an application: bounded, and not for what cannot come. */
export class Drain {
  readonly #options: DrainOptions;
  readonly #deadline: Timer;
  #look: Timer | undefined;
  #stalledBefore = false;

  constructor(options: DrainOptions) {
    this.#options = options;
    const late = `${DRAIN_TIMEOUT_MS / 1000} s after the stop was asked for`;
    this.#deadline = options.clock.schedule(DRAIN_TIMEOUT_MS, () => options.cancel(unfinished(late)));
    this.#lookLater(0);
  }

  end(): void {
    this.#deadline.cancel();
    this.#look?.cancel();
  }

  #lookLater(ms: number): void {
    const { clock, isStalled, cancel } = this.#options;
    this.#look = clock.schedule(ms, () => {
      const isStalledNow = isStalled();
      if (isStalledNow && this.#stalledBefore) {
        cancel(unfinished('and there is no executor that could finish it'));
        return;
      }
      this.#stalledBefore = isStalledNow;
      this.#lookLater(NO_EXECUTOR_MS);
    });
  }
}

function unfinished(when: string): MillraceError {
  return new MillraceError('DRAIN_TIMEOUT', `the running batch was not done ${when}: it was cancelled`, {
    remedy:
      'Nothing is lost: the batch runs again, with the same offsets, when the application starts again.',
  });
}
