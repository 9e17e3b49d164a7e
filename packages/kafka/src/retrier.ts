import { type Clock, MillraceError, type Random } from '@millrace/common';
import { isWorthRetrying } from './connection/broker-pool.ts';
import { BrokerFailure, clientClosed, unreachable } from './kafka-failure.ts';

const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 1000;

export interface RetryOptions {
  readonly signal?: AbortSignal;
  readonly retriesMax?: number;
  /** No broker within `connectionTimeoutMs` is worth another attempt, too. */
  readonly isPatient?: boolean;
}

/** Repeats operations that failed for a passing reason, with growing pauses, until a deadline. */
export class Retrier {
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly brokers: readonly string[];
  private readonly closed = new AbortController();

  constructor(clock: Clock, random: Random, brokers: readonly string[]) {
    this.clock = clock;
    this.random = random;
    this.brokers = brokers;
  }

  /**
   * `attempt` gets the ms that are left. The last error is thrown when the time is over, a BrokerFailure as KAFKA_UNREACHABLE.
   * `signal` ends the pauses; `retriesMax`: how often it is tried again, without a bound of its own by default.
   */
  async run<T>(
    timeoutMs: number,
    attempt: (leftMs: number) => Promise<T>,
    { signal, retriesMax = Number.POSITIVE_INFINITY, isPatient = false }: RetryOptions = {},
  ): Promise<T> {
    const deadline = this.clock.monotonic() + timeoutMs;
    for (let tries = 0; ; tries++) {
      const left = deadline - this.clock.monotonic();
      try {
        return await attempt(Math.max(1, Math.ceil(left)));
      } catch (error) {
        if (!isWorthRetrying(error) && !(isPatient && MillraceError.is(error, 'KAFKA_UNREACHABLE')))
          throw error;
        const pause = this.pauseMs(tries);
        if (tries >= retriesMax || this.clock.monotonic() + pause >= deadline)
          throw this.final(error, timeoutMs);
        await this.sleep(pause, signal);
      }
    }
  }

  /** An error that a caller may see. */
  final(error: unknown, timeoutMs: number): unknown {
    return error instanceof BrokerFailure ? unreachable(this.brokers, timeoutMs, error) : error;
  }

  /** Half of it is chance, so that many clients do not come back at once. */
  pauseMs(tries: number): number {
    const full = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** tries);
    return full / 2 + (this.random.next() * full) / 2;
  }

  /** @throws MillraceError CANCELLED when the client is closed or `signal` is aborted meanwhile. */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const stop = signal === undefined ? this.closed.signal : AbortSignal.any([signal, this.closed.signal]);
    try {
      await this.clock.sleep(ms, stop);
    } catch (error) {
      if (this.closed.signal.aborted) throw clientClosed();
      throw MillraceError.from(error, 'CANCELLED');
    }
  }

  close(): void {
    this.closed.abort();
  }
}
