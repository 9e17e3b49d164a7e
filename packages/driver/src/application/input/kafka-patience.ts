import {
  type Clock,
  type Logger,
  MillraceError,
  messageOf,
  unlessAborted,
  withDeadline,
} from '@millrace/common';

export interface PatienceOptions {
  /** For messages. */
  readonly brokers: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notice: (level: 'info' | 'warn', text: string) => void;
}

/** How long to wait for Kafka. */
export interface Wait {
  readonly patienceMs: number;
  /** The option that says so, for the remedy. Absent: a bound that nobody sets. */
  readonly option?: 'kafkaTimeout';
  readonly signal: AbortSignal;
}

const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 1_000;
/** Whoever looks on is told then that Kafka does not answer, whatever one request takes. */
const NOTICE_AFTER_MS = 10_000;

/**
 * Waits for a Kafka that is away: tries again, more and more slowly, until `patienceMs` are over. Says so once when an attempt has failed or
 * none was answered for 10 s, and once when it ends. Errors that a new attempt cannot mend are thrown at once.
 */
export class KafkaPatience {
  readonly #options: PatienceOptions;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** @throws what the last attempt threw; KAFKA_UNREACHABLE, which says how long it was waited; the signal's reason. */
  async attempt<T>(what: string, wait: Wait, work: () => Promise<T>): Promise<T> {
    const { clock, notice } = this.#options;
    const { patienceMs } = wait;
    const started = clock.monotonic();
    let isTold = false;
    const tell = (why: string): void => {
      if (isTold) return;
      isTold = true;
      notice('warn', `${what}: ${why}; waiting up to ${seconds(patienceMs)} s`);
    };
    const slow =
      patienceMs > NOTICE_AFTER_MS
        ? clock.schedule(NOTICE_AFTER_MS, () =>
            tell(`no answer from Kafka at ${this.#brokers} for ${seconds(NOTICE_AFTER_MS)} s`),
          )
        : undefined;
    try {
      const result = await this.#repeat(what, wait, started, tell, work);
      if (isTold)
        notice('info', `${what}: Kafka answers again after ${Math.round(clock.monotonic() - started)} ms`);
      return result;
    } finally {
      slow?.cancel();
    }
  }

  /** `reason` as what ends a wait of `waitedMs`; what is not about reaching Kafka stays as it is. */
  gaveUp(
    what: string,
    waitedMs: number,
    reason: MillraceError | undefined,
    option?: Wait['option'],
  ): MillraceError {
    if (reason !== undefined && reason.code !== 'KAFKA_UNREACHABLE') return reason;
    const check =
      'Check the addresses of the brokers, the network, and whether the listener expects TLS or SASL.';
    const last = reason?.cause === undefined ? '' : `; last: ${messageOf(reason.cause)}`;
    return new MillraceError(
      'KAFKA_UNREACHABLE',
      `${what}: no answer from Kafka at ${this.#brokers} within ${seconds(waitedMs)} s${last}`,
      {
        remedy:
          option === undefined
            ? check
            : `${check} When it may be away for longer than ${seconds(waitedMs)} s, raise the job option ${option}.`,
        details: { brokers: this.#brokers, waitedMs: Math.round(waitedMs) },
        ...(reason && { cause: reason }),
      },
    );
  }

  get #brokers(): string {
    return this.#options.brokers.join(', ');
  }

  async #repeat<T>(
    what: string,
    { patienceMs, option, signal }: Wait,
    started: number,
    tell: (why: string) => void,
    work: () => Promise<T>,
  ): Promise<T> {
    const { clock, logger } = this.#options;
    let backoffMs = BACKOFF_MS_MIN;
    let reason: MillraceError | undefined;
    for (let failures = 1; ; failures++) {
      signal.throwIfAborted();
      try {
        const leftMs = Math.max(1, started + patienceMs - clock.monotonic());
        const late = (): MillraceError => reason ?? new MillraceError('KAFKA_UNREACHABLE', 'no answer');
        return await withDeadline(unlessAborted(work(), signal), leftMs, late, clock);
      } catch (error) {
        if (signal.aborted || !isTransient(error)) throw error;
        const waitedMs = clock.monotonic() - started;
        if (waitedMs + backoffMs >= patienceMs) throw this.gaveUp(what, waitedMs, error, option);
        reason = error;
        tell(error.what);
        logger.warn({ what, code: error.code, failures, waitedMs }, 'Kafka is away; trying again');
      }
      await clock.sleep(backoffMs, signal);
      backoffMs = Math.min(2 * backoffMs, BACKOFF_MS_MAX);
    }
  }
}

function isTransient(error: unknown): error is MillraceError {
  return MillraceError.is(error) && error.retryable;
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
