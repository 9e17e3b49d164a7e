import { Placement } from './placement.ts';
import { durationKey, mayGoAhead, overdueWaiters, RECALL_MS } from './run-ahead.ts';
import { type AttemptKey, attemptIdOf, type SchedulerEffect } from './scheduler-messages.ts';
import type { Slot, SlotPool } from './slot-pool.ts';
import { TaskDurations } from './task-durations.ts';
import type { TaskRun } from './task-run.ts';
import type { TaskSetRun } from './task-set-run.ts';

const WARNED_HOSTS_MAX = 1_000;

/** Gives waiting tasks to slots: at their homes first, short ones also behind a task that runs (see run-ahead.ts). */
export class TaskLauncher {
  readonly placement = new Placement();
  readonly #pool: SlotPool;
  readonly #effect: (effect: SchedulerEffect) => void;
  readonly #durations = new TaskDurations();
  readonly #warnedHosts = new Set<string>();
  #recallCheckAt = 0;

  constructor(pool: SlotPool, effect: (effect: SchedulerEffect) => void) {
    this.#pool = pool;
    this.#effect = effect;
  }

  /** Queues tasks at their homes and fills the free slots there. */
  plan(run: TaskSetRun, tasks: readonly TaskRun[], now: number): void {
    if (tasks.length === 0) return;
    const { application } = run.set.key;
    const homes = this.placement.homesOf(
      application,
      tasks.map((task) => task.description),
      this.#pool,
      now,
      (host) => this.#warnOfHost(application, host),
    );
    for (const executorId of run.plan(tasks, homes, this.#pool, this.placement)) {
      const executor = this.#pool.executor(executorId);
      if (!executor) continue;
      this.fill(executor.free, run, now);
      for (const slot of executor.slots.values()) this.#fillAhead(slot, run, now);
    }
  }

  /** Fills free slots, for as long as `more` says so. */
  fill(free: Iterable<Slot>, run: TaskSetRun, now: number, more = (): boolean => run.waiting > 0): void {
    for (const slot of free) {
      if (!more()) return;
      const task = run.take(slot, this.#pool, now);
      if (task) this.#launch(run, task, slot, now);
    }
  }

  /** Short tasks that are at home nowhere, when no slot is free: behind what runs, slot by slot. */
  spread(run: TaskSetRun, now: number): void {
    if (!run.hasHomeless || this.#pool.free.size > 0) return;
    let open = [...this.#pool.executors()].flatMap(({ slots }) => [...slots.values()]);
    while (open.length > 0) open = open.filter((slot) => this.#launchAnywhereAhead(run, slot, now));
  }

  /** A slot has room: the oldest of the sets that has something for it. */
  offer(slot: Slot, runs: Iterable<TaskSetRun>, now: number): void {
    for (const run of runs) {
      if (slot.executor.free.has(slot)) {
        const task = run.take(slot, this.#pool, now);
        if (!task) continue;
        this.#launch(run, task, slot, now);
      }
      this.#fillAhead(slot, run, now);
      // No more than one: the others are for whoever ends next.
      if (this.#pool.free.size === 0) this.#launchAnywhereAhead(run, slot, now);
      return;
    }
  }

  /** A task ran in its slot for so long. */
  remember(run: TaskSetRun, task: TaskRun, ms: number): void {
    this.#durations.remember(durationKey(run.set, task), task.description.span, ms);
  }

  /** When `recall` would decide something; Infinity: never. */
  recallAt(now: number): number {
    return this.#pool.crowded.size > 0 ? Math.max(this.#recallCheckAt, now + 1) : Number.POSITIVE_INFINITY;
  }

  /** Slots are free while tasks wait behind one that takes long: those that have not begun come back, and go elsewhere. */
  recall(now: number): void {
    if (now < this.#recallCheckAt) return;
    this.#recallCheckAt = now + RECALL_MS;
    if (this.#pool.free.size === 0) return;
    for (const slot of this.#pool.crowded) {
      for (const occupant of overdueWaiters(slot, now)) {
        occupant.recalled = true;
        const { key } = occupant;
        const executorId = slot.executor.id;
        this.#effect({ kind: 'kill', executorId, key, reason: 'another slot is free', onlyWaiting: true });
      }
    }
  }

  #fillAhead(slot: Slot, run: TaskSetRun, now: number): void {
    if (run.waiting === 0) return;
    const may = this.#mayGoAhead(run, slot, now);
    for (let task = run.takeAhead(slot, may); task; task = run.takeAhead(slot, may))
      this.#launchAhead(run, task, slot, now);
  }

  #launchAnywhereAhead(run: TaskSetRun, slot: Slot, now: number): boolean {
    const task = run.takeAnywhereAhead(this.#mayGoAhead(run, slot, now));
    if (task) this.#launchAhead(run, task, slot, now);
    return task !== undefined;
  }

  #mayGoAhead(run: TaskSetRun, slot: Slot, now: number): (task: TaskRun) => boolean {
    if (!slot.ready || slot.executor.draining) return () => false;
    return (task) => mayGoAhead(slot.occupants, this.#expectedMs(run, task), now);
  }

  #expectedMs({ set }: TaskSetRun, task: TaskRun): number {
    return this.#durations.expected(durationKey(set, task), task.description.span);
  }

  #launchAhead(run: TaskSetRun, task: TaskRun, slot: Slot, now: number): void {
    if (this.#pool.crowded.size === 0) this.#recallCheckAt = now + RECALL_MS;
    this.#launch(run, task, slot, now);
  }

  #launch(run: TaskSetRun, task: TaskRun, slot: Slot, now: number): void {
    const attempt = task.nextAttempt++;
    const key: AttemptKey = { ...run.set.key, partition: task.description.partition, attempt };
    task.move({ state: 'RUNNING', attempt, slot });
    const expectedMs = this.#expectedMs(run, task);
    this.#pool.occupy(slot, { attemptId: attemptIdOf(key), key, expectedMs, since: now, recalled: false });
    const { preference } = task.description;
    // A retry runs without the cached consumer: its place is no reason to come back.
    if (preference.kind !== 'any' && !task.retries)
      this.placement.remember(preference.affinity, slot.executor.id, slot.index);
    this.#effect({
      kind: 'launch',
      executorId: slot.executor.id,
      slot: slot.index,
      key,
      set: run.set,
      task: task.description,
    });
  }

  #warnOfHost(application: string, host: string): void {
    const name = `${application}\0${host}`;
    if (this.#warnedHosts.has(name) || this.#warnedHosts.size >= WARNED_HOSTS_MAX) return;
    this.#warnedHosts.add(name);
    this.#effect({ kind: 'host-without-executor', application, host });
  }
}
