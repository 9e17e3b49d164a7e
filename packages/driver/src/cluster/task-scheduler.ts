import { assertNever, type Clock, type Logger, MillraceError, type Timer } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { MESSAGE_BYTES_MAX } from '@millrace/proto';
import type { ExpectedRange, StageKey, TaskEvent, TaskSet } from '../task-backend.ts';
import type { SlotName } from './placement.ts';
import type { AttemptKey, RemoteResult, SchedulerEffect, SchedulerEvent } from './scheduler-messages.ts';
import { TaskSchedulerCore } from './task-scheduler-core.ts';

/** What the task scheduler asks of executors. Commands to an executor that is gone do nothing: its loss is an event of its own. */
export interface ExecutorCommands {
  launch(command: Extract<SchedulerEffect, { kind: 'launch' }>): void;
  kill(executorId: string, key: AttemptKey, reason: string, onlyWaiting: boolean): void;
  /** Tasks that read these ranges are expected in this slot. */
  prefetch(executorId: string, slot: number, ranges: readonly OffsetRange[]): void;
  /** Sends what `launch` has collected. */
  flush(): void;
  dropBlock(executorId: string, blockId: string): void;
  /** All executors forget the shuffle blocks below this prefix. */
  dropShuffle(prefix: string): void;
}

export interface TaskSchedulerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly executors: ExecutorCommands;
  /** @throws MillraceError within its own deadline. */
  readonly fetchResult: (block: RemoteResult) => Promise<Uint8Array>;
}

// What is left of a message for keys and names.
const LAUNCH_BYTES_MAX = MESSAGE_BYTES_MAX - 64 * 1024;

export type TaskListener = (event: TaskEvent) => void;

/** Runs the task sets of all applications: feeds events to the core and applies its effects, the only place that does. */
export class TaskScheduler {
  readonly #core = new TaskSchedulerCore();
  readonly #options: TaskSchedulerOptions;
  readonly #listeners = new Map<string, TaskListener>();
  readonly #queue: SchedulerEvent[] = [];
  #busy = false;
  #timer: { readonly at: number; readonly timer: Timer } | undefined;
  #slots = 0;
  #onSlots: (slots: number) => void = () => undefined;

  constructor(options: TaskSchedulerOptions) {
    this.#options = options;
  }

  /** Events of the application's task sets go to `listener` until it is detached. One listener an application. */
  attach(application: string, listener: TaskListener): void {
    this.#listeners.set(application, listener);
  }

  /** Ends what runs of the application and forgets it. */
  detach(application: string): void {
    this.#listeners.delete(application);
    this.handle({ kind: 'application-dropped', application, belowEpoch: Number.POSITIVE_INFINITY });
  }

  /** Forgets where its tasks were at home. */
  forget(application: string): void {
    this.#core.placement.forget(application);
  }

  submit(set: TaskSet): void {
    const largest = set.tasks.reduce((bytes, { task }) => Math.max(bytes, task.length), 0) + set.stage.length;
    // One message that is too large would end the executor's stream, and the next executor's after it.
    if (largest <= LAUNCH_BYTES_MAX) this.handle({ kind: 'set-submitted', set });
    else this.#refuse(set, tooLarge(largest));
  }

  cancel(key: StageKey): void {
    this.handle({ kind: 'set-cancelled', key });
  }

  /** Tasks that read these ranges are about to come: where their consumers are, the records are fetched already. Only a hint. */
  prefetch(expected: readonly ExpectedRange[]): void {
    const bySlot = new Map<string, { readonly at: SlotName; readonly ranges: OffsetRange[] }>();
    for (const { affinity, range } of expected) {
      const at = this.#core.placement.slotOf(affinity);
      if (!at) continue;
      const name = `${at.executorId}#${at.slot}`;
      const known = bySlot.get(name);
      if (known) known.ranges.push(range);
      else bySlot.set(name, { at, ranges: [range] });
    }
    for (const { at, ranges } of bySlot.values())
      this.#options.executors.prefetch(at.executorId, at.slot, ranges);
  }

  /** Nobody reads the shuffle blocks below this prefix any more: executors drop them. */
  dropShuffle(prefix: string): void {
    this.#options.executors.dropShuffle(prefix);
  }

  /** Live slots of executors that take tasks. */
  get slots(): number {
    return this.#slots;
  }

  onSlots(listener: (slots: number) => void): void {
    this.#onSlots = listener;
  }

  get counts(): TaskSchedulerCore['counts'] & { readonly timers: number } {
    return { ...this.#core.counts, timers: this.#timer === undefined ? 0 : 1 };
  }

  /** Slots of an executor that run a task. */
  busyOf(executorId: string): number {
    let busy = 0;
    for (const slot of this.#core.pool.executor(executorId)?.slots.values() ?? []) {
      if (slot.occupants.length > 0) busy++;
    }
    return busy;
  }

  /** Events that effects cause at once wait for the running one. */
  handle(event: SchedulerEvent): void {
    this.#queue.push(event);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#busy = false;
      this.#options.executors.flush();
    }
    this.#wakeLater();
  }

  stop(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
  }

  #step(event: SchedulerEvent): void {
    const { clock, logger } = this.#options;
    try {
      for (const effect of this.#core.handle(event, clock.monotonic())) this.#apply(effect);
    } catch (error) {
      logger.error({ err: error, event: event.kind }, 'the task scheduler refused an event');
      if (event.kind === 'set-submitted') this.#refuse(event.set, error);
    }
    if (event.kind === 'slots-ready' || event.kind.startsWith('executor-')) this.#countSlots();
  }

  #refuse(set: TaskSet, error: unknown): void {
    this.#report({
      kind: 'set-failed',
      key: set.key,
      partition: set.tasks[0]?.partition ?? 0,
      error: MillraceError.toRecord(error),
    });
  }

  #apply(effect: SchedulerEffect): void {
    const { executors, logger } = this.#options;
    switch (effect.kind) {
      case 'launch':
        executors.launch(effect);
        break;
      case 'kill':
        executors.kill(effect.executorId, effect.key, effect.reason, effect.onlyWaiting === true);
        break;
      case 'drop-block':
        executors.dropBlock(effect.executorId, effect.blockId);
        break;
      case 'report':
        this.#report(effect.event);
        break;
      case 'fetch-result':
        void this.#fetch(effect.key, effect.block);
        break;
      case 'host-without-executor':
        logger.warn(
          { application: effect.application, host: effect.host },
          'no executor runs on a preferred host; its tasks go anywhere',
        );
        break;
      default:
        assertNever(effect, 'scheduler effect');
    }
  }

  #report(event: TaskEvent): void {
    const { logger } = this.#options;
    if (event.kind !== 'task-succeeded') {
      const { application, batchTime, jobId, stageId } = event.key;
      const where = { application, batchTime, jobId, stageId, partition: event.partition };
      const what = { code: event.error.code, what: event.error.what };
      if (event.kind === 'set-failed') logger.warn({ ...where, ...what }, 'task set failed');
      else
        logger.warn(
          { ...where, ...what, attempt: event.attempt, executor: event.executorId },
          'attempt failed',
        );
    }
    this.#listeners.get(event.key.application)?.(event);
  }

  async #fetch(key: AttemptKey, block: RemoteResult): Promise<void> {
    try {
      const result = await this.#options.fetchResult(block);
      this.handle({ kind: 'result-fetched', key, result });
    } catch (error) {
      this.handle({ kind: 'result-lost', key, error: MillraceError.toRecord(error) });
    }
  }

  #countSlots(): void {
    const slots = this.#core.pool.readyCount;
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.#onSlots(slots);
  }

  /** One timer; one that is early is kept, since most sets end before it. */
  #wakeLater(): void {
    const { clock } = this.#options;
    const now = clock.monotonic();
    const at = this.#core.wakeAt(now);
    if (at === Number.POSITIVE_INFINITY || (this.#timer && this.#timer.at <= at)) return;
    this.#timer?.timer.cancel();
    const wake = (): void => {
      this.#timer = undefined;
      this.handle({ kind: 'time-passed' });
    };
    this.#timer = { at, timer: clock.schedule(at - now, wake, { unref: true }) };
  }
}

function tooLarge(bytes: number): MillraceError {
  return new MillraceError(
    'MESSAGE_TOO_LARGE',
    `a task has ${bytes} bytes with its stage; ${LAUNCH_BYTES_MAX} are allowed`,
    { remedy: 'Broadcast large values instead of capturing them in a lambda.', details: { bytes } },
  );
}

/**
 * For the end of a test: nothing is in flight. Attempts that were killed count until their executor says that they ended.
 * @throws MillraceError INTERNAL that says what is left.
 */
export function assertNoLeaks(scheduler: Pick<TaskScheduler, 'counts'>): void {
  const { sets, waiting, running } = scheduler.counts;
  if (sets === 0 && waiting === 0 && running === 0) return;
  throw new MillraceError('INTERNAL', 'the task scheduler still holds something', {
    details: { sets, waiting, running },
  });
}
