import { setTimeout as delay } from 'node:timers/promises';

/** A timer that was started; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/** The only source of time. Everything that waits or reads the time takes one, so that tests can be the time. */
export interface Clock {
  /** Wall-clock time in ms since 1970. May jump. */
  now(): number;
  /** Monotonic time in ms (with fractions) from an arbitrary start. For durations. */
  monotonic(): number;
  /** Calls `callback` once after `ms`. With `unref`, the timer does not keep the process alive. */
  schedule(ms: number, callback: () => void, options?: { readonly unref?: boolean }): Timer;
  /** Resolves after `ms`; rejects when the signal is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// Node's longest timer; a longer one would fire at once (TimeoutOverflowWarning).
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(ms, callback, options) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), TIMER_MS_MAX));
    if (options?.unref === true) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  async sleep(ms, signal) {
    await delay(Math.min(Math.max(0, ms), TIMER_MS_MAX), undefined, signal ? { signal } : {});
  },
};
