import { type Clock, MillraceError, messageOf, type Timer } from '@millrace/common';
import {
  type ClientChannel,
  callUnary,
  deadlineIn,
  type HeartbeatReply,
  type HeartbeatRequestInit,
} from '@millrace/proto';

export interface HeartbeatOptions {
  readonly channel: ClientChannel;
  readonly intervalMs: number;
  /** Without an answer for so long the driver counts as gone. */
  readonly timeoutMs: number;
  readonly state: () => Omit<HeartbeatRequestInit, 'sequence'>;
  /** Called once: the registration is worth nothing any more. */
  readonly onLost: (why: MillraceError) => void;
  readonly clock: Clock;
}

/** Tells the driver in regular intervals that this executor lives. A beat never waits for the answer to the one before. */
export class Heartbeats {
  readonly #options: HeartbeatOptions;
  #timer: Timer | undefined;
  #sequence = 0;
  #answeredAt: number;
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#answeredAt = options.clock.monotonic();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#options.clock.schedule(this.#options.intervalMs, () => {
      if (this.#stopped) return;
      this.#schedule();
      void this.#beat();
    });
  }

  async #beat(): Promise<void> {
    const { channel, clock, timeoutMs, state } = this.#options;
    const request = { ...state(), sequence: ++this.#sequence };
    try {
      const options = deadlineIn(timeoutMs, clock);
      const reply = await callUnary<HeartbeatReply>('heartbeat', (done) =>
        channel.executorLink.heartbeat(request, options, done),
      );
      this.#answeredAt = clock.monotonic();
      if (!reply.known)
        this.#lost(new MillraceError('EXECUTOR_LOST', 'the driver does not know this executor any more'));
    } catch (error) {
      const silentMs = clock.monotonic() - this.#answeredAt;
      if (silentMs < timeoutMs) return;
      const what = `the driver has not answered for ${Math.round(silentMs)} ms: ${messageOf(error)}`;
      this.#lost(new MillraceError('DRIVER_UNREACHABLE', what, { cause: error }));
    }
  }

  #lost(why: MillraceError): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onLost(why);
  }
}
