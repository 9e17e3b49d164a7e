import type { Clock } from '@millrace/common';

/** A clock that a test moves. */
export function manualClock(): Clock & { advance(ms: number): void; readonly timers: number } {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly fire: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    schedule(ms, fire) {
      const timer = { at: now + ms, fire };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    sleep(ms) {
      return new Promise((resolve) => this.schedule(ms, resolve));
    },
    advance(ms) {
      now += ms;
      for (const timer of [...timers].toSorted((a, b) => a.at - b.at)) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.fire();
      }
    },
    get timers() {
      return timers.size;
    },
  };
}
