import type { TaskSet } from '../task-backend.ts';
import type { Placement } from './placement.ts';
import { stageIdOf } from './scheduler-messages.ts';
import { readyCount, type Slot, type SlotPool } from './slot-pool.ts';
import { TaskQueue } from './task-queue.ts';
import { TaskRun } from './task-run.ts';

/** A task set that runs: its tasks, and the queues in which the waiting ones stand. */
export class TaskSetRun {
  readonly set: TaskSet;
  readonly id: string;
  readonly tasks: ReadonlyMap<number, TaskRun>;
  /** Tasks without a result. */
  remaining: number;
  /** Tasks that wait for a slot. */
  waiting: number;
  /** From then on first attempts take any slot. */
  readonly anywhereAt: number;

  /** By slot name: the slot that holds the task's consumer. */
  readonly #atSlot = new Map<string, TaskQueue>();
  readonly #atExecutor = new Map<string, TaskQueue>();
  readonly #anywhere = new TaskQueue();
  readonly #all = new TaskQueue();
  #retries: TaskRun[] = [];

  constructor(set: TaskSet, firstAttempt: number, now: number) {
    this.set = set;
    this.id = stageIdOf(set.key);
    this.tasks = new Map(set.tasks.map((task) => [task.partition, new TaskRun(task, firstAttempt)]));
    this.remaining = this.tasks.size;
    this.waiting = this.tasks.size;
    this.anywhereAt = now + set.localityWaitMs;
    for (const task of this.tasks.values()) this.#all.push(task);
  }

  /** Queues tasks at their homes. Returns the executors that are home of any of them. */
  plan(
    tasks: readonly TaskRun[],
    homes: readonly (string | undefined)[],
    pool: SlotPool,
    placement: Placement,
  ): ReadonlySet<string> {
    const perExecutor = new Map<string, number>();
    for (const home of homes) if (home !== undefined) perExecutor.set(home, (perExecutor.get(home) ?? 0) + 1);
    const perSlot = new Map<string, number>();
    for (const [index, task] of tasks.entries()) {
      const home = homes[index];
      if (home === undefined) {
        this.#anywhere.push(task);
        continue;
      }
      const slot = this.#rememberedSlot(task, home, pool, placement);
      const held = slot === undefined ? 0 : (perSlot.get(slot.name) ?? 0);
      // Above its share, a slot would make its tasks wait while its neighbours idle.
      if (slot !== undefined && held < Math.ceil((perExecutor.get(home) ?? 0) / readyCount(slot.executor))) {
        perSlot.set(slot.name, held + 1);
        queueOf(this.#atSlot, slot.name).push(task);
      } else {
        queueOf(this.#atExecutor, home).push(task);
      }
    }
    return new Set(perExecutor.keys());
  }

  #rememberedSlot(task: TaskRun, home: string, pool: SlotPool, placement: Placement): Slot | undefined {
    const { preference } = task.description;
    if (preference.kind === 'any') return undefined;
    const known = placement.slotOf(preference.affinity);
    if (known?.executorId !== home) return undefined;
    const slot = pool.executor(home)?.slots.get(known.slot);
    return slot?.ready === true ? slot : undefined;
  }

  /** First attempts that wait for this executor; they leave its queues. */
  takeHomedAt(executorId: string, slotNames: Iterable<string>): readonly TaskRun[] {
    const orphans = [...(this.#atExecutor.get(executorId)?.waiting() ?? [])];
    this.#atExecutor.delete(executorId);
    for (const name of slotNames) {
      orphans.push(...(this.#atSlot.get(name)?.waiting() ?? []));
      this.#atSlot.delete(name);
    }
    return orphans;
  }

  /** First attempts without a home; they leave their queue. */
  takeHomeless(): readonly TaskRun[] {
    const homeless: TaskRun[] = [];
    for (let task = this.#anywhere.take(); task !== undefined; task = this.#anywhere.take())
      homeless.push(task);
    return homeless;
  }

  retry(task: TaskRun): void {
    task.retries = true;
    this.waiting++;
    this.#retries.push(task);
  }

  /** The task that this slot should run next: one at home here, one without a home, a retry, and after the wait any. */
  take(slot: Slot, pool: SlotPool, now: number): TaskRun | undefined {
    if (this.waiting === 0) return undefined;
    const task =
      this.#atSlot.get(slot.name)?.take() ??
      this.#atExecutor.get(slot.executor.id)?.take() ??
      this.#anywhere.take() ??
      this.#takeRetry(slot, pool, now) ??
      (now >= this.anywhereAt ? this.#all.take() : undefined);
    if (task) this.waiting--;
    return task;
  }

  /** The next task whose consumer this slot holds, if it may go ahead of its turn. */
  takeAhead(slot: Slot, may: (task: TaskRun) => boolean): TaskRun | undefined {
    return this.#takeIf(this.#atSlot.get(slot.name), may);
  }

  /** The next task that is at home nowhere, if it may go ahead of its turn. */
  takeAnywhereAhead(may: (task: TaskRun) => boolean): TaskRun | undefined {
    return this.#takeIf(this.#anywhere, may);
  }

  #takeIf(queue: TaskQueue | undefined, may: (task: TaskRun) => boolean): TaskRun | undefined {
    const next = queue?.peek();
    if (!next || !may(next)) return undefined;
    this.waiting--;
    return queue?.take();
  }

  #takeRetry(slot: Slot, pool: SlotPool, now: number): TaskRun | undefined {
    const index = this.#retries.findIndex((task) => task.mayRetryOn(slot, pool, now));
    return index < 0 ? undefined : this.#retries.splice(index, 1)[0];
  }

  /** Tasks wait that are at home nowhere. */
  get hasHomeless(): boolean {
    return !this.#anywhere.isEmpty();
  }

  /** Whether a free slot that is nobody's home may have a task of this set. */
  wantsAnySlot(now: number): boolean {
    return this.waiting > 0 && (now >= this.anywhereAt || this.hasHomeless);
  }

  /** When a task that waits may run on more slots than now. */
  wakeAt(now: number): number {
    if (this.waiting === 0) return Number.POSITIVE_INFINITY;
    let at = this.anywhereAt > now ? this.anywhereAt : Number.POSITIVE_INFINITY;
    for (const task of this.#retries) at = Math.min(at, task.wakeAt(now));
    return at;
  }

  /** Above every attempt of this set: a later set of the same key starts there, so that late results do not fit. */
  get attemptsEnd(): number {
    let end = 0;
    for (const task of this.tasks.values()) end = Math.max(end, task.nextAttempt);
    return end;
  }
}

function queueOf(queues: Map<string, TaskQueue>, name: string): TaskQueue {
  const known = queues.get(name);
  if (known) return known;
  const queue = new TaskQueue();
  queues.set(name, queue);
  return queue;
}
