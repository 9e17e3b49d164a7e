import { type Clock, type Logger, messageOf, type Timer, withDeadline } from '@millrace/common';
import type { HostProcess } from './host-process.ts';

export interface HostPoolOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fork: () => HostProcess;
  /** Keep one process started ahead, so that a submission does not pay for Node's start. */
  readonly spare: boolean;
  readonly startTimeoutMs: number;
}

// The next spare starts when the application that took the last one is through its own start.
const REFILL_AFTER_MS = 1_500;
const REFILL_AFTER_FAILURE_MS = 10_000;

/** Makes host processes, and keeps one spare warm. */
export class HostPool {
  readonly #options: HostPoolOptions;
  #spare: HostProcess | undefined;
  #refill: Timer | undefined;
  #stopped = false;

  constructor(options: HostPoolOptions) {
    this.#options = options;
  }

  start(): void {
    this.#refillAfter(0);
  }

  /** A host that is ready. @throws MillraceError HOST_LOST, DEADLINE_EXCEEDED. */
  async take(): Promise<HostProcess> {
    const { fork, clock, startTimeoutMs } = this.#options;
    const spare = this.#spare;
    this.#spare = undefined;
    const host = spare && !spare.exit ? spare : fork();
    this.#refillAfter(REFILL_AFTER_MS);
    try {
      await withDeadline(host.ready, startTimeoutMs, 'starting an application host', clock);
    } catch (error) {
      host.kill();
      throw error;
    }
    return host;
  }

  stop(): void {
    this.#stopped = true;
    this.#refill?.cancel();
    this.#spare?.kill();
    this.#spare = undefined;
  }

  #refillAfter(ms: number): void {
    const { clock, spare } = this.#options;
    if (!spare || this.#stopped) return;
    this.#refill?.cancel();
    this.#refill = clock.schedule(ms, () => this.#startSpare(), { unref: true });
  }

  #startSpare(): void {
    const { logger } = this.#options;
    if (this.#spare || this.#stopped) return;
    const host = this.#forkSpare();
    if (!host) return;
    this.#spare = host;
    host.listen({
      message: () => undefined,
      output: ({ text: line }) => logger.info({ pid: host.pid, line }, 'output of the spare host'),
      exited: () => {
        if (this.#spare !== host) return;
        this.#spare = undefined;
        this.#refillAfter(REFILL_AFTER_FAILURE_MS);
      },
    });
    host.ready.catch((error: unknown) => {
      if (!this.#stopped) logger.warn({ reason: messageOf(error) }, 'the spare host did not start');
    });
  }

  /** Undefined: the system has no memory for it now. A driver without a spare is slower, and lives. */
  #forkSpare(): HostProcess | undefined {
    const { fork, logger } = this.#options;
    try {
      return fork();
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, 'the spare host did not start');
      this.#refillAfter(REFILL_AFTER_FAILURE_MS);
      return undefined;
    }
  }
}
