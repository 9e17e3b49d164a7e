import { expect } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { BatchShuffles } from '../dag/batch-shuffles.ts';
import { JobRun } from '../dag/job-run.ts';
import { KeptDatasets } from '../dag/kept-datasets.ts';
import type { Stage, StageId, TaskInput } from '../dag/stage.ts';
import { mapOutput } from './fake-backend.ts';

/** Why a job run fails, when it does. */
export const lost = new MillraceError('FETCH_FAILED', 'e1 does not answer', {
  details: { executorId: 'e1' },
});

/** Of jobs of one application run. */
const datasetsOf = new WeakMap<BatchShuffles, KeptDatasets>();

/** Jobs over the same `shuffles` share what is persisted, too. */
export function jobRun(stages: readonly Stage[], shuffles = new BatchShuffles()): JobRun {
  const datasets = datasetsOf.get(shuffles) ?? new KeptDatasets(() => undefined);
  datasetsOf.set(shuffles, datasets);
  return new JobRun({
    jobId: 1,
    stages,
    shuffles,
    datasets,
    directoryOf: (stageId) => `dir${stageId}`,
    grow: () => [],
    time: { now: 0 },
  });
}

interface RunningTask {
  readonly stage: Stage;
  readonly partition: number;
  readonly input: TaskInput;
  readonly attempt: number;
  /** Where its blocks were when it was launched. */
  readonly reads: readonly string[];
}

/** Executors that come and go below a job run. */
export class ClusterModel {
  readonly run: JobRun;
  readonly #stages: readonly Stage[];
  #running: RunningTask[] = [];
  readonly #ended: RunningTask[] = [];
  readonly #results = new Map<string, number>();
  readonly #attempts = new Set<string>();
  /** What the task scheduler remembers of sets that were cut short. */
  readonly #attemptsEnd = new Map<StageId, number>();
  #executors = ['e0', 'e1', 'e2'];
  #executorsMade = 3;

  constructor(stages: readonly Stage[]) {
    this.run = jobRun(stages);
    this.#stages = stages;
    this.#start();
  }

  #start(): void {
    for (const { stage, tasks, firstAttempt } of this.run.start()) {
      expect(tasks.length).toBeGreaterThan(0);
      expect(this.#running.some((task) => task.stage === stage)).toBe(false);
      const attempt = Math.max(firstAttempt, this.#attemptsEnd.get(stage.id) ?? 0);
      for (const { partition, input } of tasks)
        this.#running.push({ stage, partition, input, attempt, reads: this.#reads(input) });
    }
    expect(this.run.finished || this.#running.length > 0).toBe(true);
  }

  /** Executors with blocks of this input; all map partitions must be there. */
  #reads(input: TaskInput): readonly string[] {
    if (input.kind === 'merge') return input.inputs.flatMap((child) => this.#reads(child));
    if (input.kind !== 'shuffle') return [];
    const from = this.#stages.find((stage) => stage.id === input.from);
    const blocks = this.run.blocks(input.from, input.bucket);
    expect(blocks.map(({ mapPartition }) => mapPartition)).toEqual(
      from?.tasks.map(({ partition }) => partition),
    );
    return blocks.map(({ executorId }) => executorId);
  }

  #at(where: number): string {
    return this.#executors[where % this.#executors.length] ?? '';
  }

  /** A task comes to its end: it finds its blocks, or it does not. */
  end(which: number, where: number): void {
    const task = this.#running[which % this.#running.length];
    if (!task) return;
    const gone = task.reads.find((executorId) => !this.#executors.includes(executorId));
    if (gone !== undefined) {
      this.#fetchFails(task, gone);
      return;
    }
    const name = `${task.stage.id}/${task.partition}/${task.attempt}`;
    expect(this.#attempts.has(name)).toBe(false);
    this.#attempts.add(name);
    this.#running.splice(this.#running.indexOf(task), 1);
    this.#ended.push(task);
    expect(this.#report(task, this.#at(where))).toBe(true);
    this.#start();
  }

  #report({ stage, partition, attempt }: RunningTask, executorId: string): boolean {
    const sizes = [1, 1];
    const done = { result: mapOutput(sizes), attempt, executorId, blockAddress: '' };
    const counts = this.run.awaits(stage.id, partition, attempt) && this.run.isFirst(stage.id, partition);
    const name = `${stage.id}/${partition}`;
    if (counts) this.#results.set(name, (this.#results.get(name) ?? 0) + 1);
    return this.run.succeeded(stage.id, partition, done);
  }

  /** An executor is gone, and another one comes. */
  lose(where: number): void {
    const gone = this.#at(where);
    this.#executors = this.#executors.filter((executorId) => executorId !== gone);
    this.#executors.push(`e${this.#executorsMade++}`);
  }

  /** An old report comes once more. */
  replay(which: number): void {
    const task = this.#ended[which % this.#ended.length];
    if (task) expect(this.#report(task, 'e0')).toBe(false);
  }

  /** Somebody cannot reach an executor that is there. */
  fetchFailsFor(which: number, where: number): void {
    const readers = this.#running.filter(({ reads }) => reads.length > 0);
    const task = readers[which % readers.length];
    if (task) this.#fetchFails(task, task.reads[where % task.reads.length] ?? '');
  }

  #fetchFails(task: RunningTask, executorId: string): void {
    this.#attemptsEnd.set(task.stage.id, task.attempt + 1);
    this.#running = this.#running.filter(({ stage }) => stage !== task.stage);
    const cancelled = this.run.fetchFailed(task.stage.id, { executorId: executorId }, lost);
    this.#running = this.#running.filter(({ stage }) => !cancelled.includes(stage));
    this.#start();
  }

  expectComplete(): void {
    for (const { id: stageId, tasks } of this.#stages)
      for (const { partition } of tasks) expect(this.#results.get(`${stageId}/${partition}`)).toBe(1);
  }
}
