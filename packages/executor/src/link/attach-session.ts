import type { ClientDuplexStream } from '@grpc/grpc-js';
import { type Clock, MillraceError } from '@millrace/common';
import {
  type ClientChannel,
  type DriverMessage,
  type ExecutorMessageInit,
  errorFromWire,
  grpcStatusToError,
  type Registered,
  type RegisterInit,
} from '@millrace/proto';

export interface AttachSessionOptions {
  readonly channel: ClientChannel;
  readonly register: RegisterInit;
  readonly registerTimeoutMs: number;
  /** Called once, before any message. */
  readonly onRegistered: (registered: Registered) => void;
  readonly onMessage: (message: DriverMessage) => void;
  readonly clock: Clock;
}

/** One registration at the driver: as long as its stream lives. */
export class AttachSession {
  /** Resolves once, with why it ended: refused, unreachable, no answer in time, closed. */
  readonly ended: Promise<MillraceError>;
  readonly #stream: ClientDuplexStream<ExecutorMessageInit, DriverMessage>;
  readonly #end: (why: MillraceError) => void;
  #isLeaving = false;

  constructor(options: AttachSessionOptions) {
    const { channel, register, registerTimeoutMs, onRegistered, onMessage, clock } = options;
    const ended = Promise.withResolvers<MillraceError>();
    this.ended = ended.promise;
    const what = `the driver at ${channel.address}`;
    const late = clock.schedule(registerTimeoutMs, () =>
      this.#end(
        new MillraceError(
          'DEADLINE_EXCEEDED',
          `${what} did not answer the registration within ${registerTimeoutMs} ms`,
        ),
      ),
    );
    let isOver = false;
    let isRegistered = false;
    this.#stream = channel.executorLink.attach();
    this.#end = (why) => {
      if (isOver) return;
      isOver = true;
      late.cancel();
      ended.resolve(why);
      this.#stream.cancel();
    };
    this.#stream.on('data', (message: DriverMessage) => {
      if (isOver) return;
      if (message.registered) {
        late.cancel();
        isRegistered = true;
        onRegistered(message.registered);
      } else if (message.refused) {
        const { error } = message.refused;
        this.#end(
          error ? errorFromWire(error) : new MillraceError('BAD_REQUEST', `${what} refused this executor`),
        );
      } else if (isRegistered) onMessage(message);
    });
    this.#stream.on('error', (error) => this.#end(grpcStatusToError(error, what)));
    this.#stream.on('end', () =>
      this.#end(new MillraceError('DRIVER_UNREACHABLE', `${what} closed the link`)),
    );
    this.#stream.write({ register });
  }

  send(message: ExecutorMessageInit): void {
    if (!this.#isLeaving) this.#stream.write(message);
  }

  /** Ends it at once. */
  end(why: MillraceError): void {
    this.#end(why);
  }

  /** Ends it when the driver has everything that was sent, at the latest after `ms`. */
  async leave(why: MillraceError, ms: number, clock: Clock): Promise<void> {
    const late = clock.schedule(ms, () => this.#end(why));
    this.#isLeaving = true;
    this.#stream.end();
    await this.ended;
    late.cancel();
  }
}
