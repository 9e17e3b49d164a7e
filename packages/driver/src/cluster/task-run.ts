import { type TransitionTable, transition } from '@millrace/common';
import { KAFKA_AWAY_PAUSE_MS } from '../kafka-away.ts';
import type { TaskDescription } from '../task-backend.ts';
import type { AttemptEnd } from './scheduler-messages.ts';
import type { Slot, SlotPool } from './slot-pool.ts';

/** Ended: succeeded, or its set is over. */
export type TaskState = 'WAITING' | 'RUNNING' | 'FETCHING' | 'ENDED';

export const TASK_TRANSITIONS: TransitionTable<TaskState> = {
  WAITING: ['RUNNING'],
  // Back to waiting: another attempt.
  RUNNING: ['FETCHING', 'ENDED', 'WAITING'],
  // A large result is on its way from the executor.
  FETCHING: ['ENDED', 'WAITING'],
  ENDED: [],
};

/** What belongs to a state exists only in it. */
export type TaskStatus =
  | { readonly state: 'WAITING' }
  | { readonly state: 'RUNNING'; readonly attempt: number; readonly slot: Slot }
  | { readonly state: 'FETCHING'; readonly attempt: number; readonly end: AttemptEnd }
  | { readonly state: 'ENDED' };

/** One task of a set that runs. */
export class TaskRun {
  readonly description: TaskDescription;
  #status: TaskStatus = { state: 'WAITING' };
  /** Attempts so far, those that do not count included: numbers of attempts are never used twice. */
  nextAttempt: number;
  /** Failed attempts that count. */
  failures = 0;
  /** Attempts that ended with a lost executor or a cancellation, or never began. */
  losses = 0;
  /** Waits in the queue of retries: the queues of homes are for first attempts. */
  retries = false;
  /** Slots (by name) and executors where attempts failed. */
  readonly #failedAt = new Set<string>();
  #anywhereAt = 0;
  /** When an attempt could not reach Kafka for the first time. */
  #kafkaAwaySince: number | undefined;
  #pausesUntil = 0;

  constructor(description: TaskDescription, firstAttempt: number) {
    this.description = description;
    this.nextAttempt = firstAttempt;
  }

  get status(): TaskStatus {
    return this.#status;
  }

  move(to: TaskStatus): void {
    transition(TASK_TRANSITIONS, `task ${this.description.partition}`, this.#status.state, to.state);
    this.#status = to;
  }

  /** Retries keep away from where an attempt failed for `waitMs`. */
  avoid(executorId: string, slotName: string, now: number, waitMs: number): void {
    this.#failedAt.add(executorId).add(slotName);
    this.#anywhereAt = now + waitMs;
  }

  /** An attempt could not reach Kafka: the next one waits a little. Returns since when none could. */
  awaitKafka(now: number): number {
    this.#pausesUntil = now + KAFKA_AWAY_PAUSE_MS;
    this.#kafkaAwaySince ??= now;
    return this.#kafkaAwaySince;
  }

  /** When a retry may run on more slots than now; Infinity: it may on any. */
  wakeAt(now: number): number {
    if (now < this.#pausesUntil) return this.#pausesUntil;
    return now < this.#anywhereAt ? this.#anywhereAt : Number.POSITIVE_INFINITY;
  }

  /** Another executor if there is one, else another slot, else the same; none while it pauses. */
  mayRetryOn(slot: Slot, pool: SlotPool, now: number): boolean {
    if (now < this.#pausesUntil) return false;
    if (now >= this.#anywhereAt || !this.#failedAt.has(slot.executor.id)) return true;
    let failedMembers = 0;
    for (const name of this.#failedAt) if (pool.isMember(name)) failedMembers++;
    if (pool.ids.length > failedMembers) return false;
    if (!this.#failedAt.has(slot.name)) return true;
    return everySlotFailed(pool, this.#failedAt);
  }
}

function everySlotFailed(pool: SlotPool, failedAt: ReadonlySet<string>): boolean {
  for (const id of pool.ids) {
    for (const slot of pool.executor(id)?.slots.values() ?? []) {
      if (slot.ready && !failedAt.has(slot.name)) return false;
    }
  }
  return true;
}
