/** A clock that stands still until a test moves it. Timers fire in order of their time, then of their start. */
export class VirtualClock {
    #now;
    #start;
    #order = 0;
    #timers = new Set();
    constructor(startMs = 1_700_000_000_000) {
        this.#now = startMs;
        this.#start = startMs;
    }
    now() {
        return this.#now;
    }
    monotonic() {
        return this.#now - this.#start;
    }
    schedule(ms, callback) {
        const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, callback };
        this.#timers.add(timer);
        return { cancel: () => void this.#timers.delete(timer) };
    }
    sleep(ms, signal) {
        return new Promise((resolve, reject) => {
            if (signal?.aborted === true)
                return reject(signal.reason);
            const abort = () => {
                timer.cancel();
                reject(signal?.reason);
            };
            const timer = this.schedule(ms, () => {
                signal?.removeEventListener('abort', abort);
                resolve();
            });
            signal?.addEventListener('abort', abort, { once: true });
        });
    }
    /** Timers that wait: for tests that look for leaks. */
    get pendingTimers() {
        return this.#timers.size;
    }
    /** Moves time by `ms`, firing what falls due, each at its own time. Promise callbacks run after the call returns. */
    advance(ms) {
        const until = this.#now + ms;
        for (;;) {
            const due = this.#next();
            if (due === undefined || due.at > until)
                break;
            this.#timers.delete(due);
            this.#now = Math.max(this.#now, due.at);
            due.callback();
        }
        this.#now = until;
    }
    #next() {
        let first;
        for (const timer of this.#timers) {
            if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
                first = timer;
        }
        return first;
    }
}
//# sourceMappingURL=virtual-clock.js.map