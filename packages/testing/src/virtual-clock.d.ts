import type { Clock, Timer } from '@millrace/common';
/** A clock that stands still until a test moves it. Timers fire in order of their time, then of their start. */
export declare class VirtualClock implements Clock {
    #private;
    constructor(startMs?: number);
    now(): number;
    monotonic(): number;
    schedule(ms: number, callback: () => void): Timer;
    sleep(ms: number, signal?: AbortSignal): Promise<void>;
    /** Timers that wait: for tests that look for leaks. */
    get pendingTimers(): number;
    /** Moves time by `ms`, firing what falls due, each at its own time. Promise callbacks run after the call returns. */
    advance(ms: number): void;
}
//# sourceMappingURL=virtual-clock.d.ts.map