import { type Clock, type Logger, MillraceError, type Random } from '@millrace/common';
import {
  type ClientChannel,
  type DriverMessage,
  type ExecutorMessageInit,
  type HeartbeatRequestInit,
  hello,
  type Registered,
  type RegisterInit,
} from '@millrace/proto';
import { AttachSession } from './attach-session.ts';
import { Heartbeats } from './heartbeats.ts';

export interface DriverLinkOptions {
  readonly channel: ClientChannel;
  readonly register: () => Omit<RegisterInit, 'hello'>;
  readonly heartbeat: () => Omit<HeartbeatRequestInit, 'sequence' | 'executorId'>;
  readonly heartbeatIntervalMs: number;
  readonly onRegistered: (registered: Registered) => void;
  readonly onMessage: (message: DriverMessage) => void;
  /** The driver counts this executor's tasks as lost. */
  readonly onLost: (why: MillraceError) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const REGISTER_TIMEOUT_MS = 10_000;
const EXECUTOR_TIMEOUT_MS = 5_000;
const LEAVE_TIMEOUT_MS = 500;
const RETRY_MS = 50;
// A driver that is back finds its executors within a second.
const RETRY_MS_MAX = 1_000;

/**
 * The connection to the driver: registers, beats, and begins again for ever when it is lost. Only a refusal before the first
 * registration (wrong token, other version) ends it: nothing would mend that by itself.
 */
export class DriverLink {
  readonly #options: DriverLinkOptions;
  readonly #closing = new AbortController();
  readonly #firstRegistration = Promise.withResolvers<void>();
  #session: AttachSession | undefined;
  #isRegistered = false;
  /** Ever. */
  #wasRegistered = false;

  constructor(options: DriverLinkOptions) {
    this.#options = options;
    this.registered.catch(() => undefined);
  }

  /** Keeps the link up; resolves when it was closed. Call it once. @throws MillraceError: the refusal. */
  async open(): Promise<void> {
    const { clock, random, log, channel } = this.#options;
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      const startedAt = clock.monotonic();
      const { why, wasRegistered } = await this.#attach();
      if (this.#closing.signal.aborted) return;
      if (!this.#wasRegistered && why.domain === 'user') {
        this.#firstRegistration.reject(why);
        throw why;
      }
      failures = wasRegistered && clock.monotonic() - startedAt > RETRY_MS_MAX ? 1 : failures + 1;
      const retryMs =
        Math.min(RETRY_MS * 2 ** Math.min(failures - 1, 10), RETRY_MS_MAX) * (0.5 + random.next() / 2);
      // One line when it begins, then one every twenty or so seconds.
      const level = failures % 32 === 1 ? 'warn' : 'debug';
      log[level](
        { driver: channel.address, reason: why.message, failures },
        'no link to the driver; trying again',
      );
      await clock.sleep(retryMs, this.#closing.signal).catch(() => undefined);
    }
  }

  /** Resolves at the first registration. @throws the refusal, or CANCELLED when the link is closed before. */
  get registered(): Promise<void> {
    return this.#firstRegistration.promise;
  }

  /** To the driver, when there is one: what it does not get it counts as lost with this executor. */
  send(message: ExecutorMessageInit): void {
    if (this.#isRegistered) this.#session?.send(message);
  }

  /** Says good-bye, when there is a driver to hear it; `idle`: the ends of all tasks that have begun are sent. Idempotent. */
  async close({ idle }: { readonly idle: boolean }): Promise<void> {
    const why = new MillraceError('CANCELLED', 'the executor is stopping');
    if (idle) this.send({ left: {} });
    this.#closing.abort(why);
    this.#firstRegistration.reject(why);
    if (this.#isRegistered) await this.#session?.leave(why, LEAVE_TIMEOUT_MS, this.#options.clock);
    else this.#session?.end(why);
  }

  /** One session from its beginning to its end. */
  async #attach(): Promise<{ readonly why: MillraceError; readonly wasRegistered: boolean }> {
    const { channel, register, clock, onMessage, onLost } = this.#options;
    let heartbeats: Heartbeats | undefined;
    const session = new AttachSession({
      channel,
      register: { ...register(), hello: hello() },
      registerTimeoutMs: REGISTER_TIMEOUT_MS,
      onRegistered: (registered) => {
        heartbeats = this.#beat(session, registered);
        this.#onRegistered(registered);
      },
      onMessage,
      clock,
    });
    this.#session = session;
    const why = await session.ended;
    heartbeats?.stop();
    const wasRegistered = this.#isRegistered;
    this.#isRegistered = false;
    this.#session = undefined;
    if (wasRegistered) onLost(why);
    return { why, wasRegistered };
  }

  #onRegistered(registered: Registered): void {
    const { log, channel, onRegistered } = this.#options;
    this.#isRegistered = true;
    this.#wasRegistered = true;
    log.info({ driver: channel.address, driverId: registered.driverId }, 'registered at the driver');
    onRegistered(registered);
    this.#firstRegistration.resolve();
  }

  #beat(session: AttachSession, registered: Registered): Heartbeats {
    const { channel, clock, heartbeat, register, heartbeatIntervalMs } = this.#options;
    const executorId = register().executorId ?? '';
    return new Heartbeats({
      channel,
      clock,
      intervalMs: registered.heartbeatIntervalMs || heartbeatIntervalMs,
      timeoutMs: registered.executorTimeoutMs || EXECUTOR_TIMEOUT_MS,
      state: () => ({ ...heartbeat(), executorId }),
      onLost: (why) => session.end(why),
    });
  }
}
