import type { Clock } from '@millrace/common';
import { EXIT, type ExitCode } from './exit-codes.ts';

export type InterruptSignal = 'SIGINT' | 'SIGTERM';

// npm and pnpm pass on a Ctrl-C that the terminal has sent to everybody already: one press arrives more than once.
const ONE_PRESS_MS = 250;

/** Called with 1 for the first signal, 2 for the second … */
export type InterruptListener = (count: number, signal: InterruptSignal) => void;

/**
 * Ctrl-C and SIGTERM of this process. The first asks for a graceful end, the second for an immediate one;
 * a third ends the process on the spot, whatever it waits for.
 */
export class Interrupts {
  readonly #listeners = new Set<InterruptListener>();
  readonly #abort = new AbortController();
  readonly #clock: Clock;
  readonly #exit: (code: ExitCode) => void;
  #count = 0;
  #lastAt = Number.NEGATIVE_INFINITY;
  #first: InterruptSignal | undefined;

  constructor(clock: Clock, exit: (code: ExitCode) => void) {
    this.#clock = clock;
    this.#exit = exit;
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What the process exits with: `otherwise`, unless it was interrupted. */
  exitCode(otherwise: ExitCode): ExitCode {
    if (this.#first === undefined) return otherwise;
    return this.#first === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  }

  /** Calls `listener` for every later signal, and at once when there already were some. Returns how to stop. */
  listen(listener: InterruptListener): () => void {
    this.#listeners.add(listener);
    if (this.#first !== undefined) listener(this.#count, this.#first);
    return () => void this.#listeners.delete(listener);
  }

  receive(signal: InterruptSignal): void {
    const now = this.#clock.monotonic();
    if (now - this.#lastAt < ONE_PRESS_MS) return;
    this.#lastAt = now;
    this.#count += 1;
    this.#first ??= signal;
    // Nobody who could end gracefully, or somebody who does not end.
    if (this.#listeners.size === 0 || this.#count > 2) this.#exit(this.exitCode(EXIT.ok));
    this.#abort.abort();
    for (const listener of this.#listeners) listener(this.#count, signal);
  }
}
