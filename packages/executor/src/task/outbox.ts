import type { Clock, Timer } from '@millrace/common';
import type { TaskEndedInit } from '@millrace/proto';

/** An outcome waits no longer for those behind it. */
const HOLD_MS = 2;
/** Bytes of results that are held: far below what a message may have. */
const HELD_BYTES_MAX = 1024 * 1024;

/**
 * Outcomes on their way to the driver. A message costs it, the host and us more than what is in it: while short tasks follow one another in a
 * slot, their outcomes travel together.
 */
export class Outbox {
  readonly #clock: Clock;
  readonly #send: (ended: readonly TaskEndedInit[]) => void;
  #held: TaskEndedInit[] = [];
  #bytes = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, send: (ended: readonly TaskEndedInit[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** `more`: another task of the same slot is about to end. */
  add(ended: TaskEndedInit, more: boolean): void {
    this.#held.push(ended);
    this.#bytes += ended.result?.length ?? 0;
    if (!more || ended.failure || this.#bytes > HELD_BYTES_MAX) this.flush();
    else this.#timer ??= this.#clock.schedule(HOLD_MS, () => this.flush());
  }

  flush(): void {
    const held = this.#take();
    if (held.length > 0) this.#send(held);
  }

  /** Nobody waits for them any more. */
  clear(): void {
    this.#take();
  }

  #take(): readonly TaskEndedInit[] {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#bytes = 0;
    return this.#held.splice(0);
  }
}
