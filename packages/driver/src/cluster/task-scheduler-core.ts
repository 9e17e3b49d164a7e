import { assertNever, type ErrorRecord, invariant } from '@millrace/common';
import { kafkaStayedAway } from '../kafka-away.ts';
import type { StageKey, TaskSet } from '../task-backend.ts';
import { AttemptNumbers } from './attempt-numbers.ts';
import { isOverdue, OVERDUE_GRACE_MS, overdueError, runningAttempts, wantedIds } from './overdue-attempts.ts';
import type { Placement } from './placement.ts';
import {
  type AttemptEnd,
  type AttemptKey,
  attemptIdOf,
  type SchedulerEffect,
  type SchedulerEvent,
  stageIdOf,
} from './scheduler-messages.ts';
import { SlotPool } from './slot-pool.ts';
import { type FailureClass, failureClass } from './task-failure-class.ts';
import { TaskLauncher } from './task-launcher.ts';
import type { TaskRun } from './task-run.ts';
import { TaskSetRun } from './task-set-run.ts';

// Losses never count as failures, but a set that loses this many attempts of one task is driven in circles by its executors.
const LOSSES_MAX = 100;
const OVERDUE_CHECK_MS = 5_000;

/**
 * Which task runs on which slot: events in, effects out, no time, network or timers of its own. FIFO over task sets.
 * A task costs a constant number of look-ups, whatever the number of tasks, slots and executors.
 */
export class TaskSchedulerCore {
  readonly pool = new SlotPool();
  readonly #launcher = new TaskLauncher(this.pool, (effect) => {
    this.#effects.push(effect);
  });
  readonly #runs = new Map<string, TaskSetRun>();
  readonly #attempts = new AttemptNumbers();
  #effects: SchedulerEffect[] = [];
  #overdueCheckAt = 0;

  /** Decides. `now` is monotonic, in ms. */
  handle(event: SchedulerEvent, now: number): readonly SchedulerEffect[] {
    this.#effects = [];
    switch (event.kind) {
      case 'executor-joined':
        this.pool.add(event.executorId, event.host);
        break;
      case 'slots-ready':
        this.#slotsReady(event.executorId, event.ready, now);
        break;
      case 'executor-draining':
        this.#executorLeaves(event.executorId, now);
        break;
      case 'executor-lost':
        this.#executorLost(event.executorId, event.error, now);
        break;
      case 'set-submitted':
        this.#submit(event.set, now);
        break;
      case 'set-cancelled':
        this.#cancel(event.key);
        break;
      case 'application-dropped':
        this.#dropApplication(event.application, event.belowEpoch, now);
        break;
      case 'attempt-ended':
        this.#attemptEnded(event.end, now);
        break;
      case 'result-fetched':
        this.#resultFetched(event.key, event.result);
        break;
      case 'result-lost':
        this.#resultLost(event.key, event.error, now);
        break;
      case 'time-passed':
        this.#timePassed(now);
        break;
      default:
        assertNever(event, 'scheduler event');
    }
    return this.#effects;
  }

  /** Where the tasks of a consumer run. */
  get placement(): Placement {
    return this.#launcher.placement;
  }

  /** When 'time-passed' would decide something; Infinity: never. */
  wakeAt(now: number): number {
    let at = Number.POSITIVE_INFINITY;
    if (this.#runs.size === 0) return at;
    // Without a free slot whoever frees one decides.
    if (this.pool.free.size > 0) for (const run of this.#runs.values()) at = Math.min(at, run.wakeAt(now));
    at = Math.min(at, this.#launcher.recallAt(now));
    return Math.min(at, Math.max(this.#overdueCheckAt, now + 1));
  }

  /** What is in flight: for status pages, and for tests that look for leaks. */
  get counts(): { readonly sets: number; readonly waiting: number; readonly running: number } {
    let waiting = 0;
    for (const run of this.#runs.values()) waiting += run.waiting;
    let running = 0;
    for (const executor of this.pool.executors()) {
      for (const slot of executor.slots.values()) running += slot.occupants.length;
    }
    return { sets: this.#runs.size, waiting, running };
  }

  #slotsReady(executorId: string, ready: readonly number[], now: number): void {
    const before = this.pool.ids.length;
    const freed = this.pool.setReady(executorId, ready);
    if (before === 0 && this.pool.ids.length > 0) this.#planHomeless(now);
    for (const slot of freed) this.#launcher.offer(slot, this.#runs.values(), now);
  }

  /** Sets that came while there was no executor get their homes now. */
  #planHomeless(now: number): void {
    for (const run of this.#runs.values()) this.#launcher.plan(run, run.takeHomeless(), now);
  }

  #submit(set: TaskSet, now: number): void {
    const id = stageIdOf(set.key);
    invariant(!this.#runs.has(id), `task set ${id} was submitted while it runs`);
    const first = Math.max(this.#attempts.firstOf(id), set.firstAttempt ?? 0);
    const run = new TaskSetRun(set, first, now);
    invariant(run.tasks.size === set.tasks.length, `task set ${id} names a partition twice`);
    if (run.remaining === 0) return;
    if (this.#runs.size === 0) this.#overdueCheckAt = now + OVERDUE_CHECK_MS;
    this.#runs.set(id, run);
    this.#launcher.plan(run, [...run.tasks.values()], now);
    this.#launcher.fill(this.pool.free, run, now, () => run.wantsAnySlot(now));
    this.#launcher.spread(run, now);
  }

  #attemptEnded(end: AttemptEnd, now: number): void {
    const slot = this.pool.release(end.executorId, end.slot, attemptIdOf(end.key), now);
    const current = this.#current(end.key, 'RUNNING');
    if (current && slot && current.status.slot === slot) this.#decide(current, end, now);
    else if (end.outcome.kind === 'remote-result') this.#dropBlock(end.executorId, end.outcome.block.blockId);
    if (slot) this.#launcher.offer(slot, this.#runs.values(), now);
  }

  #decide({ run, task }: Current<'RUNNING'>, end: AttemptEnd, now: number): void {
    const { outcome, executorId } = end;
    switch (outcome.kind) {
      case 'result':
        this.#succeed(run, task, end, outcome.result);
        break;
      case 'remote-result':
        task.move({ state: 'FETCHING', attempt: end.key.attempt, end });
        this.#effects.push({ kind: 'fetch-result', key: end.key, block: outcome.block });
        break;
      case 'failure':
        if (outcome.error.code === 'TASK_REFUSED') this.#executorLeaves(executorId, now);
        this.#failed(
          run,
          task,
          end.key,
          { executorId, slot: `${executorId}#${end.slot}` },
          outcome.error,
          now,
        );
        break;
      default:
        assertNever(outcome, 'outcome');
    }
  }

  #resultFetched(key: AttemptKey, result: Uint8Array): void {
    const current = this.#current(key, 'FETCHING');
    if (!current) return;
    const { end } = current.status;
    if (end.outcome.kind === 'remote-result') this.#dropBlock(end.executorId, end.outcome.block.blockId);
    this.#succeed(current.run, current.task, end, result);
  }

  #resultLost(key: AttemptKey, error: ErrorRecord, now: number): void {
    const current = this.#current(key, 'FETCHING');
    if (!current) return;
    const { end } = current.status;
    if (end.outcome.kind === 'remote-result') this.#dropBlock(end.executorId, end.outcome.block.blockId);
    const gone = this.pool.executor(end.executorId) === undefined;
    const place = { executorId: end.executorId, slot: `${end.executorId}#${end.slot}` };
    this.#failed(current.run, current.task, key, place, error, now, gone ? 'lost' : failureClass(error));
    this.#fillFree(now);
  }

  #succeed(run: TaskSetRun, task: TaskRun, end: AttemptEnd, result: Uint8Array): void {
    task.move({ state: 'ENDED' });
    run.remaining--;
    this.#launcher.remember(run, task, end.metrics.runMs);
    const { partition, attempt } = end.key;
    this.#effects.push({
      kind: 'report',
      event: {
        kind: 'task-succeeded',
        key: run.set.key,
        partition,
        attempt,
        executorId: end.executorId,
        blockAddress: end.blockAddress,
        result,
        accumulators: end.accumulators,
        metrics: end.metrics,
      },
    });
    if (run.remaining === 0) this.#runs.delete(run.id);
  }

  #failed(
    run: TaskSetRun,
    task: TaskRun,
    key: AttemptKey,
    at: { readonly executorId: string; readonly slot: string },
    error: ErrorRecord,
    now: number,
    kind: FailureClass = failureClass(error),
  ): void {
    const { kafkaTimeoutMs } = run.set;
    if (kind === 'kafka-away' && now - task.awaitKafka(now) >= kafkaTimeoutMs) {
      task.move({ state: 'ENDED' });
      this.#failSet(run, key.partition, kafkaStayedAway(error, kafkaTimeoutMs));
      return;
    }
    if (kind === 'counted' || kind === 'final') task.failures++;
    else if (kind === 'lost' || kind === 'not-run') task.losses++;
    const ends = kind === 'final' || kind === 'fetch-failed';
    if (ends || task.failures >= run.set.attemptsMax || task.losses >= LOSSES_MAX) {
      task.move({ state: 'ENDED' });
      this.#failSet(run, key.partition, error);
      return;
    }
    task.move({ state: 'WAITING' });
    if (kind !== 'not-run') {
      const { executorId, slot } = at;
      task.avoid(executorId, slot, now, run.set.localityWaitMs);
      const { partition, attempt } = key;
      const event = {
        kind: 'attempt-failed',
        key: run.set.key,
        partition,
        attempt,
        executorId,
        error,
      } as const;
      this.#effects.push({ kind: 'report', event });
    }
    run.retry(task);
    this.#launcher.fill(this.pool.free, run, now, () => task.status.state === 'WAITING');
  }

  #failSet(run: TaskSetRun, partition: number, error: ErrorRecord): void {
    this.#end(run, 'another task of its set failed');
    this.#effects.push({ kind: 'report', event: { kind: 'set-failed', key: run.set.key, partition, error } });
  }

  #cancel(key: StageKey): void {
    const run = this.#runs.get(stageIdOf(key));
    if (run) this.#end(run, 'the stage was cancelled');
  }

  #dropApplication(application: string, belowEpoch: number, now: number): void {
    const isOld = (of: { readonly application: string; readonly epoch: number }): boolean =>
      of.application === application && of.epoch < belowEpoch;
    for (const run of this.#runs.values()) if (isOld(run.set.key)) this.#end(run, 'the application ended');
    // Executors do not report attempts of an application that they were told to drop; a slot that is not rid of one yet makes
    // the next attempt wait.
    for (const slot of this.pool.releaseWhere(({ key }) => isOld(key), now))
      this.#launcher.offer(slot, this.#runs.values(), now);
  }

  #end(run: TaskSetRun, reason: string): void {
    this.#runs.delete(run.id);
    this.#attempts.remember(run.id, run.attemptsEnd);
    for (const [partition, { status }] of run.tasks) {
      if (status.state === 'RUNNING') {
        const key = { ...run.set.key, partition, attempt: status.attempt };
        this.#effects.push({ kind: 'kill', executorId: status.slot.executor.id, key, reason });
      } else if (status.state === 'FETCHING' && status.end.outcome.kind === 'remote-result') {
        this.#dropBlock(status.end.executorId, status.end.outcome.block.blockId);
      }
    }
  }

  /** It finishes what it has, and takes nothing new. */
  #executorLeaves(executorId: string, now: number): void {
    this.pool.setDraining(executorId);
    this.#rehome(executorId, [], now);
  }

  #executorLost(executorId: string, error: ErrorRecord, now: number): void {
    const slotNames = [...(this.pool.executor(executorId)?.slots.values() ?? [])].map(({ name }) => name);
    const occupied = new Set(this.pool.remove(executorId));
    const lost = occupied.size === 0 ? [] : [...runningAttempts(this.#runs.values())];
    for (const { run, task, key, slot } of lost) {
      if (!occupied.has(slot) || !this.#runs.has(run.id)) continue;
      this.#failed(run, task, key, { executorId, slot: slot.name }, error, now);
    }
    this.#rehome(executorId, slotNames, now);
  }

  /** First attempts that wait for an executor that takes none any more. */
  #rehome(executorId: string, slotNames: readonly string[], now: number): void {
    const names =
      slotNames.length > 0
        ? slotNames
        : [...(this.pool.executor(executorId)?.slots.values() ?? [])].map(({ name }) => name);
    for (const run of this.#runs.values()) this.#launcher.plan(run, run.takeHomedAt(executorId, names), now);
  }

  #timePassed(now: number): void {
    this.#fillFree(now);
    this.#launcher.recall(now);
    if (now < this.#overdueCheckAt) return;
    this.#overdueCheckAt = now + OVERDUE_CHECK_MS;
    for (const attempt of runningAttempts(this.#runs.values())) {
      if (!this.#runs.has(attempt.run.id) || !isOverdue(attempt, now)) continue;
      const { run, task, key, slot } = attempt;
      const executorId = slot.executor.id;
      this.#effects.push({ kind: 'kill', executorId, key, reason: 'the executor did not end it in time' });
      this.#failed(run, task, key, { executorId, slot: slot.name }, overdueError(attempt), now);
    }
    const wanted = wantedIds(this.#runs.values());
    const forgotten = this.pool.releaseWhere(
      ({ attemptId, since }) => !wanted.has(attemptId) && now - since > OVERDUE_GRACE_MS,
      now,
    );
    for (const slot of forgotten) this.#launcher.offer(slot, this.#runs.values(), now);
  }

  #fillFree(now: number): void {
    for (const slot of this.pool.free) this.#launcher.offer(slot, this.#runs.values(), now);
  }

  #current<S extends 'RUNNING' | 'FETCHING'>(key: AttemptKey, state: S): Current<S> | undefined {
    const run = this.#runs.get(stageIdOf(key));
    const task = run?.tasks.get(key.partition);
    if (!run || !task || task.status.state !== state || task.status.attempt !== key.attempt) return undefined;
    return { run, task, status: task.status as Current<S>['status'] };
  }

  #dropBlock(executorId: string, blockId: string): void {
    this.#effects.push({ kind: 'drop-block', executorId, blockId });
  }
}

interface Current<S extends 'RUNNING' | 'FETCHING'> {
  readonly run: TaskSetRun;
  readonly task: TaskRun;
  readonly status: Extract<TaskRun['status'], { state: S }>;
}
