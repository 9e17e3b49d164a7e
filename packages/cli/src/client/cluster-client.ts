import { type Clock, type ErrorRecord, MillraceError, systemClock } from '@millrace/common';
import {
  type Accepted,
  type ClientChannel,
  callUnary,
  clientChannel,
  deadlineIn,
  type ExecutorStatus,
  errorFromWire,
  grpcStatusToError,
  hello,
  type ListReply,
  type OffsetChangeInit,
  type OffsetsReply,
  type OffsetsReport,
  recordFromWire,
  type StopReply,
  type SubmitMessageInit,
  type SubmitReply,
  type TlsOptions,
  type ApplicationStatus as WireStatus,
  writeChunks,
} from '@millrace/proto';
import { type ProbedAddress, probeAddress } from './address-probe.ts';
import { type ApplicationEvent, eventFromWire } from './application-event.ts';
import { contactDriver, driverUnreachable } from './driver-contact.ts';

export type StopMode = 'DRAIN' | 'NOW' | 'KILL';

export type ApplicationStatus = Readonly<Omit<WireStatus, 'error'>> & {
  readonly error: ErrorRecord | undefined;
};
export type { ExecutorStatus, OffsetsReport } from '@millrace/proto';
export type OffsetChange = OffsetChangeInit;

export interface SubmitRequest {
  readonly programHash: string;
  /** The packed bundle. */
  readonly archive: Uint8Array;
  /** Overrides of the job's own options. */
  readonly config: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Default: the job's own. */
  readonly name?: string | undefined;
  /** Its log of offsets is set aside, and it begins where its options say. */
  readonly startAnew?: boolean;
  /** A batch that an earlier program has planned runs with this one. */
  readonly withNewProgram?: boolean;
}

export interface RollbackRequest {
  readonly application: string;
  /** How the id of the program begins; '': the last one before. */
  readonly to: string;
  readonly withNewProgram: boolean;
}

export interface ClientOptions {
  /** host:port of the driver. */
  readonly address: string;
  readonly token?: string | undefined;
  readonly tls?: TlsOptions | undefined;
  /** How long the driver may take to be reached, and to answer. */
  readonly timeoutMs: number;
  readonly clock?: Clock;
  /** Called once, when the driver is not reached within a second. */
  readonly onWaiting?: (text: string) => void;
}

const CHANNEL_PATIENCE_MS = 3_000;

/** The driver, as the command sees it. Every call ends: in a reply, a coded error, or at its deadline. */
export class ClusterClient {
  readonly address: string;
  #channel: ClientChannel;
  #isClosed = false;
  readonly #target: ProbedAddress;
  readonly #open: () => ClientChannel;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  /** @throws MillraceError DRIVER_UNREACHABLE when there is no connection within `timeoutMs`; sooner where nobody listens. */
  static async connect(options: ClientOptions): Promise<ClusterClient> {
    const client = new ClusterClient(options);
    const attempt = (ms: number): Promise<void> => client.#attempt(ms);
    try {
      await contactDriver({ ...options, attempt, clock: client.#clock });
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  private constructor(options: ClientOptions) {
    this.address = options.address;
    this.#target = options;
    this.#timeoutMs = options.timeoutMs;
    this.#clock = options.clock ?? systemClock;
    const clock = this.#clock;
    this.#open = () => clientChannel({ ...options, clock });
    this.#channel = this.#open();
  }

  /**
   * Resolves when there is a connection again, to a driver that was there.
   * @throws MillraceError DRIVER_UNREACHABLE after `ms`.
   */
  async reach(ms: number): Promise<void> {
    const until = this.#clock.monotonic() + ms;
    for (;;) {
      const left = until - this.#clock.monotonic();
      try {
        return await this.#attempt(left);
      } catch (error) {
        if (this.#isClosed) throw error;
      }
      if (left <= CHANNEL_PATIENCE_MS)
        throw driverUnreachable(this.#target, ms, await probeAddress(this.#target, this.#clock));
    }
  }

  /**
   * Waits for a connection. A channel that does not come up soon is replaced: one that has seen the driver vanish from DNS, or return
   * under another address, may never find it (seen with restarted containers).
   */
  async #attempt(ms: number): Promise<void> {
    try {
      await this.#channel.ready(Math.max(1, Math.min(CHANNEL_PATIENCE_MS, ms)));
    } catch (error) {
      if (!this.#isClosed) {
        this.#channel.close();
        this.#channel = this.#open();
      }
      throw error;
    }
  }

  /** Resolves when the driver has checked and accepted the application. @throws its refusal. */
  async submit(request: SubmitRequest, signal: AbortSignal): Promise<Accepted> {
    signal.throwIfAborted();
    const reply = await new Promise<SubmitReply>((resolve, reject) => {
      const call = this.#channel.submission.submit(
        deadlineIn(this.#timeoutMs, this.#clock),
        (error, value) => {
          signal.removeEventListener('abort', cancel);
          if (error) reject(grpcStatusToError(error, `submit to ${this.address}`));
          else if (value) resolve(value);
          else reject(new MillraceError('INTERNAL', 'the driver answered a submission with nothing'));
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      // What makes writing fail also ends the call, and the call's own error says more.
      sendProgram(call, request).catch(() => call.cancel());
    });
    return acceptedOf(reply);
  }

  /** Resolves when the earlier program runs again. @throws MillraceError APPLICATION_UNKNOWN, APPLICATION_EXISTS, BAD_REQUEST; its refusal. */
  async rollback(request: RollbackRequest): Promise<Accepted> {
    const submission = this.#channel.submission;
    return acceptedOf(
      await callUnary<SubmitReply>(`rollback of ${request.application}`, (done) =>
        submission.rollback(request, deadlineIn(this.#timeoutMs, this.#clock), done),
      ),
    );
  }

  /** @throws MillraceError APPLICATION_UNKNOWN. */
  async status(application: string): Promise<ApplicationStatus> {
    const submission = this.#channel.submission;
    return statusFromWire(
      await callUnary<WireStatus>(`status of ${application}`, (done) =>
        submission.status({ application }, deadlineIn(this.#timeoutMs, this.#clock), done),
      ),
    );
  }

  async list(): Promise<{
    readonly applications: readonly ApplicationStatus[];
    readonly executors: readonly ExecutorStatus[];
  }> {
    const submission = this.#channel.submission;
    const reply = await callUnary<ListReply>(`list of ${this.address}`, (done) =>
      submission.list({}, deadlineIn(this.#timeoutMs, this.#clock), done),
    );
    return { applications: reply.applications.map(statusFromWire), executors: reply.executors };
  }

  /** Resolves when the application has ended. `timeoutMs` is the driver's to keep; the call waits a little longer. */
  async stop(application: string, mode: StopMode, timeoutMs: number): Promise<ApplicationStatus> {
    const submission = this.#channel.submission;
    const reply = await callUnary<StopReply>(`stop of ${application}`, (done) =>
      submission.stop(
        { application, mode, timeoutMs },
        deadlineIn(timeoutMs + this.#timeoutMs, this.#clock),
        done,
      ),
    );
    if (reply.error) throw errorFromWire(reply.error);
    if (!reply.status) throw new MillraceError('INTERNAL', 'the driver answered a stop with nothing');
    return statusFromWire(reply.status);
  }

  /** Events after `afterSequence`, those that are still kept and those that come. Ends when the driver ends it or `signal` does. */
  async *events(
    application: string,
    afterSequence: number,
    signal: AbortSignal,
  ): AsyncGenerator<ApplicationEvent> {
    const call = this.#channel.submission.events({ application, afterSequence });
    for await (const wire of cancellable(call, signal, `events of ${application}`)) {
      const event = eventFromWire(wire);
      if (event) yield event;
    }
  }

  /** Log lines of the application's host, each without its line break. */
  async *logs(
    application: string,
    options: { readonly follow: boolean; readonly tail: number },
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const call = this.#channel.submission.logs({ application, ...options });
    for await (const { line } of cancellable(call, signal, `logs of ${application}`)) yield line;
  }

  /** Where the application stands, or would stand, or stands now. */
  async offsets(
    application: string,
    request: { readonly change?: OffsetChange; readonly execute: boolean; readonly ends: boolean },
  ): Promise<OffsetsReport> {
    const submission = this.#channel.submission;
    const reply = await callUnary<OffsetsReply>(`offsets of ${application}`, (done) =>
      submission.offsets({ application, ...request }, deadlineIn(this.#timeoutMs, this.#clock), done),
    );
    if (reply.error) throw errorFromWire(reply.error);
    if (!reply.report) throw new MillraceError('INTERNAL', 'the driver answered about offsets with nothing');
    return reply.report;
  }

  /** The last entries of the application's log of offsets, each a JSON text, oldest first. */
  async *offsetLog(
    application: string,
    options: { readonly tail: number },
    signal: AbortSignal,
  ): AsyncGenerator<string> {
    const call = this.#channel.submission.offsetLog({ application, ...options });
    for await (const { line } of cancellable(call, signal, `log of ${application}`)) yield line;
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }
}

/** A server stream that ends quietly when `signal` is aborted, and whose failure is one of ours. */
async function* cancellable<T>(
  call: AsyncIterable<T> & { cancel(): void },
  signal: AbortSignal,
  what: string,
): AsyncGenerator<T> {
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    yield* call;
  } catch (error) {
    if (!signal.aborted) throw grpcStatusToError(error, what);
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

type SubmitCall = ReturnType<ClientChannel['submission']['submit']>;

async function sendProgram(call: SubmitCall, request: SubmitRequest): Promise<void> {
  const header: SubmitMessageInit = {
    header: {
      hello: hello(),
      programHash: request.programHash,
      bundleBytes: request.archive.length,
      configJson: JSON.stringify(request.config),
      environment: request.environment,
      startAnew: request.startAnew === true,
      withNewProgram: request.withNewProgram === true,
      ...(request.name === undefined ? {} : { name: request.name }),
    },
  };
  call.write(header);
  await writeChunks(
    call,
    request.archive,
    (chunk): SubmitMessageInit => ({
      bundle: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length),
    }),
  );
  call.end();
}

function acceptedOf({ accepted, error }: SubmitReply): Accepted {
  if (error) throw errorFromWire(error);
  if (!accepted) throw new MillraceError('INTERNAL', 'the driver neither accepted nor refused');
  return accepted;
}

function statusFromWire(wire: WireStatus): ApplicationStatus {
  const { error, ...rest } = wire;
  return { ...rest, error: error ? recordFromWire(error) : undefined };
}
