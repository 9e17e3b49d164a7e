import { type Clock, type Logger, MillraceError, withDeadline } from '@millrace/common';

export interface PatienceOptions {
  /** For messages. */
  readonly brokers: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notice: (level: 'info' | 'warn', text: string) => void;
}

const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 1_000;

/**
 * Waits for a Kafka that is away: tries again, more and more slowly, until `patienceMs` are over. Says so once when the
 * waiting begins, and once when it ends. Errors that a new attempt cannot mend are thrown at once.
 */
export class KafkaPatience {
  readonly #options: PatienceOptions;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** @throws what the last attempt threw; when it hung, what one before it threw, or KAFKA_UNREACHABLE; the signal's reason. */
  async attempt<T>(
    what: string,
    patienceMs: number,
    signal: AbortSignal,
    work: () => Promise<T>,
  ): Promise<T> {
    const { brokers, clock, logger, notice } = this.#options;
    const started = clock.monotonic();
    let backoffMs = BACKOFF_MS_MIN;
    let reason: MillraceError | undefined;
    for (let failures = 0; ; failures++) {
      signal.throwIfAborted();
      try {
        const leftMs = Math.max(1, started + patienceMs - clock.monotonic());
        const result = await withDeadline(
          unlessAborted(work(), signal),
          leftMs,
          () => reason ?? noAnswer(what, brokers, patienceMs),
          clock,
        );
        if (failures > 0) {
          notice('info', `${what}: Kafka answers again after ${Math.round(clock.monotonic() - started)} ms`);
        }
        return result;
      } catch (error) {
        if (signal.aborted) throw error;
        const waitedMs = clock.monotonic() - started;
        if (!isTransient(error) || waitedMs + backoffMs >= patienceMs) throw error;
        reason = error;
        if (failures === 0)
          notice('warn', `${what}: ${error.what}; waiting up to ${Math.round(patienceMs / 1000)} s`);
        logger.warn(
          { what, code: error.code, failures: failures + 1, waitedMs },
          'Kafka is away; trying again',
        );
      }
      await clock.sleep(backoffMs, signal);
      backoffMs = Math.min(2 * backoffMs, BACKOFF_MS_MAX);
    }
  }
}

function isTransient(error: unknown): error is MillraceError {
  return MillraceError.is(error) && error.retryable;
}

/** `work`, or the signal's reason as soon as it is aborted: nobody who stops waits for a Kafka that does not answer. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

function noAnswer(what: string, brokers: readonly string[], ms: number): MillraceError {
  return new MillraceError(
    'KAFKA_UNREACHABLE',
    `${what}: no answer from Kafka at ${brokers.join(', ')} within ${Math.round(ms / 1000)} s`,
    {
      remedy:
        'Check the addresses of the brokers, the network, and whether the listener expects TLS or SASL.',
    },
  );
}
