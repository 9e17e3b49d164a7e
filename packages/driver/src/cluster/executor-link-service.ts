import type { ServerDuplexStream } from '@grpc/grpc-js';
import {
  assertNever,
  type Clock,
  type ErrorCode,
  type Logger,
  MillraceError,
  type Timer,
} from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import {
  checkHello,
  type DriverMessageInit,
  type ExecutorLinkHandlers,
  type ExecutorMessage,
  errorToWire,
  failCall,
  type LaunchTaskInit,
  unaryHandler,
} from '@millrace/proto';
import { type ExecutorEntry, type ExecutorInfo, ExecutorRegistry } from './executor-registry.ts';
import type { AttemptKey, SchedulerEffect, SchedulerEvent } from './scheduler-messages.ts';
import type { ExecutorCommands } from './task-scheduler.ts';
import { attemptEndFromWire, infoOf, keyToWire, launchToWire, registerOf } from './task-wire.ts';

export interface ExecutorLinkOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly driverId: string;
  readonly heartbeatIntervalMs: number;
  readonly executorTimeoutMs: number;
  readonly executorsMax: number;
  /** How long a stream may be open without a Register. */
  readonly registerTimeoutMs: number;
}

export interface ExecutorLinkListener {
  handle(event: SchedulerEvent): void;
  /** Lowest valid epoch of every application: older tasks of an executor that comes (again) must end. */
  epochs(): Iterable<readonly [application: string, epoch: number]>;
  lost(info: ExecutorInfo): void;
}

/** A message is far below what gRPC lets through. */
const LAUNCH_BYTES_AT_ONCE = 1024 * 1024;

type Stream = ServerDuplexStream<ExecutorMessage, DriverMessageInit>;

/** The driver's end of the executors' links: streams in and out, and who is there. */
export class ExecutorLinkService implements ExecutorCommands {
  readonly #options: ExecutorLinkOptions;
  readonly #registry: ExecutorRegistry;
  readonly #streams = new Map<string, Stream>();
  /** Stage of the last launch on each stream. */
  readonly #stages = new WeakMap<Stream, Uint8Array>();
  /** Launches that are not sent yet. */
  readonly #launches = new Map<Stream, { readonly tasks: LaunchTaskInit[]; bytes: number }>();
  #listener: ExecutorLinkListener | undefined;
  #check: Timer | undefined;

  constructor(options: ExecutorLinkOptions) {
    this.#options = options;
    const { executorTimeoutMs, executorsMax } = options;
    this.#registry = new ExecutorRegistry({ timeoutMs: executorTimeoutMs, executorsMax });
  }

  start(listener: ExecutorLinkListener): void {
    this.#listener = listener;
    this.#checkLater();
  }

  stop(): void {
    this.#check?.cancel();
    this.#listener = undefined;
    for (const stream of this.#streams.values()) stream.end();
    this.#streams.clear();
  }

  list(): readonly ExecutorEntry[] {
    return this.#registry.list();
  }

  readonly handlers: ExecutorLinkHandlers = {
    Attach: (stream) => this.#attach(stream),
    Heartbeat: unaryHandler(({ executorId, rssBytes, slots }) => {
      const all = slots.reduce((sum, slot) => sum + slot.rssBytes, rssBytes);
      return { known: this.#registry.heartbeat(executorId, all, this.#options.clock.monotonic()) };
    }),
  };

  launch(command: Extract<SchedulerEffect, { kind: 'launch' }>): void {
    const stream = this.#streams.get(command.executorId);
    if (!stream) return;
    const task = launchToWire(command, this.#stages.get(stream));
    this.#stages.set(stream, command.set.stage);
    const launches = this.#launches.get(stream) ?? { tasks: [], bytes: 0 };
    const bytes = command.task.task.length + (task.stage?.length ?? 0);
    if (launches.bytes + bytes > LAUNCH_BYTES_AT_ONCE) this.flush();
    launches.tasks.push(task);
    launches.bytes += bytes;
    this.#launches.set(stream, launches);
  }

  /** Sends what was launched: one message an executor costs it, and us, less than one a task. */
  flush(): void {
    for (const [stream, launches] of this.#launches) {
      stream.write({ launch: { tasks: launches.tasks.splice(0) } });
      launches.bytes = 0;
    }
    this.#launches.clear();
  }

  kill(executorId: string, key: AttemptKey, reason: string, onlyWaiting: boolean): void {
    this.#tell(executorId, { kill: { key: keyToWire(key), reason, onlyWaiting } });
  }

  dropBlock(executorId: string, blockId: string): void {
    this.#tell(executorId, { dropBlocks: { blockIds: [blockId] } });
  }

  prefetch(executorId: string, slot: number, ranges: readonly OffsetRange[]): void {
    this.#tell(executorId, { prefetch: { slot, ranges: [...ranges] } });
  }

  /** What was launched before comes before. */
  #tell(executorId: string, message: DriverMessageInit): void {
    this.flush();
    this.#streams.get(executorId)?.write(message);
  }

  /** Executors may hold it in memory: broadcasts that were destroyed, snapshots of batches that are over. */
  dropContent(hashes: readonly string[]): void {
    this.flush();
    for (const stream of this.#streams.values()) stream.write({ dropBlocks: { blockIds: [...hashes] } });
  }

  dropShuffle(prefix: string): void {
    this.flush();
    for (const stream of this.#streams.values()) stream.write({ dropBlocks: { prefix } });
  }

  dropApplication(application: string, belowEpoch: number): void {
    this.flush();
    for (const stream of this.#streams.values())
      stream.write({ dropApplication: { application, belowEpoch } });
  }

  /** It finishes what runs and takes nothing new. */
  drain(executorId: string, timeoutMs: number): void {
    if (!this.#registry.drain(executorId)) return;
    this.#tell(executorId, { drain: { timeoutMs } });
    this.#listener?.handle({ kind: 'executor-draining', executorId });
  }

  #attach(stream: Stream): void {
    const { clock, registerTimeoutMs } = this.#options;
    const late = clock.schedule(registerTimeoutMs, () =>
      failCall(stream, new MillraceError('DEADLINE_EXCEEDED', 'no Register came on the executor link')),
    );
    let executorId: string | undefined;
    stream.on('data', (message: ExecutorMessage) => {
      try {
        if (executorId !== undefined) return this.#receive(executorId, stream, message);
        late.cancel();
        executorId = this.#register(stream, message);
      } catch (error) {
        this.#options.logger.warn({ err: error, executor: executorId }, 'an executor sent a bad message');
        failCall(stream, error);
        if (executorId !== undefined) this.#ended(executorId, stream, 'it sent a bad message');
      }
    });
    // Whichever comes first. What was in flight on a broken stream is unknown, so its tasks are lost at once, with no grace.
    const over = (): void => {
      late.cancel();
      if (executorId !== undefined) this.#ended(executorId, stream, 'its connection ended');
    };
    stream.on('end', () => {
      over();
      stream.end();
    });
    stream.on('cancelled', over);
    stream.on('error', over);
    stream.on('close', over);
  }

  /** The executor's id; undefined: refused. */
  #register(stream: Stream, message: ExecutorMessage): string | undefined {
    const { clock, driverId, heartbeatIntervalMs, executorTimeoutMs, logger } = this.#options;
    const register = registerOf(message);
    const info = infoOf(register);
    try {
      checkHello(register.hello, `executor ${info.id} on ${info.host}`);
    } catch (error) {
      return this.#refuse(stream, info, error);
    }
    const decision = this.#registry.register(info, clock.monotonic(), clock.now());
    if (decision.kind === 'refused') return this.#refuse(stream, info, decision.error);
    if (decision.kind === 'replaced') {
      this.#streams.get(info.id)?.end();
      this.#tellLost(info, 'it registered again');
    }
    this.#streams.set(info.id, stream);
    stream.write({ registered: { driverId, heartbeatIntervalMs, executorTimeoutMs } });
    for (const [application, belowEpoch] of this.#listener?.epochs() ?? []) {
      stream.write({ dropApplication: { application, belowEpoch } });
    }
    this.#listener?.handle({ kind: 'executor-joined', executorId: info.id, host: info.host });
    logger.info({ executor: info.id, host: info.host, slots: info.slots }, 'executor registered');
    return info.id;
  }

  #refuse(stream: Stream, info: ExecutorInfo, error: unknown): undefined {
    this.#options.logger.warn({ err: error, executor: info.id, host: info.host }, 'executor refused');
    stream.write({ refused: { error: errorToWire(error) } });
    stream.end();
    return undefined;
  }

  #receive(executorId: string, stream: Stream, message: ExecutorMessage): void {
    // A replaced stream may still deliver: its attempts are lost already.
    if (this.#streams.get(executorId) !== stream) return;
    switch (message.message) {
      case 'ended': {
        const blockAddress = this.#registry.get(executorId)?.info.blockAddress ?? '';
        for (const ended of message.ended?.tasks ?? []) {
          const end = attemptEndFromWire({ executorId, blockAddress }, ended);
          this.#listener?.handle({ kind: 'attempt-ended', end });
        }
        break;
      }
      case 'slotsChanged': {
        const now = this.#options.clock.monotonic();
        const ready = this.#registry.slotsReady(executorId, message.slotsChanged?.ready ?? [], now);
        if (ready) this.#listener?.handle({ kind: 'slots-ready', executorId, ready });
        break;
      }
      case 'left':
        this.#left(executorId);
        break;
      case 'register':
        throw new MillraceError('BAD_REQUEST', `executor ${executorId} registered twice on one stream`);
      case undefined:
        // A message of a newer version.
        break;
      default:
        assertNever(message.message, 'executor message');
    }
  }

  #ended(executorId: string, stream: Stream, reason: string): void {
    if (this.#streams.get(executorId) !== stream) return;
    this.#streams.delete(executorId);
    const info = this.#registry.get(executorId)?.info;
    if (info && this.#registry.lose(executorId)) this.#tellLost(info, reason);
  }

  /** In good order. Nobody failed at what crossed its good-bye. */
  #left(executorId: string): void {
    this.#streams.delete(executorId);
    const info = this.#registry.get(executorId)?.info;
    if (!info || !this.#registry.lose(executorId)) return;
    this.#options.logger.info({ executor: info.id, host: info.host }, 'executor left');
    this.#tellGone(info, 'TASK_REFUSED', `executor ${info.id} on ${info.host} has left`);
  }

  #tellLost(info: ExecutorInfo, reason: string): void {
    this.#options.logger.warn({ executor: info.id, host: info.host, reason }, 'executor lost');
    this.#tellGone(info, 'EXECUTOR_LOST', `executor ${info.id} on ${info.host} was lost: ${reason}`);
  }

  /** `code`: what its tasks end with. */
  #tellGone(info: ExecutorInfo, code: ErrorCode, what: string): void {
    const details = { executorId: info.id, host: info.host };
    const error = MillraceError.toRecord(new MillraceError(code, what, { details }));
    this.#listener?.handle({ kind: 'executor-lost', executorId: info.id, error });
    this.#listener?.lost(info);
  }

  #checkLater(): void {
    const { clock, executorTimeoutMs } = this.#options;
    const check = (): void => {
      for (const info of this.#registry.expire(clock.monotonic())) {
        const stream = this.#streams.get(info.id);
        this.#streams.delete(info.id);
        this.#tellLost(info, `no heartbeat for ${executorTimeoutMs} ms`);
        // It registers again when it answers again.
        if (stream) failCall(stream, new MillraceError('EXECUTOR_LOST', 'no heartbeat came in time'));
      }
      this.#checkLater();
    };
    // Often, so that a silent executor is noticed soon after its time.
    this.#check = clock.schedule(Math.min(250, executorTimeoutMs / 4), check, { unref: true });
  }
}
