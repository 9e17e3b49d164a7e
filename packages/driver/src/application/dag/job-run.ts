import type { ActionCall } from '@millrace/api/internal';
import { invariant, MillraceError, transition } from '@millrace/common';
import { STAGE_TRANSITIONS, type Stage, type StageId, type StageState } from './stage.ts';

interface StageRun {
  readonly stage: Stage;
  state: StageState;
  readonly results: Map<number, Uint8Array>;
  /** Task partitions without a result. */
  readonly missing: Set<number>;
}

/** One job: which of its stages may run, and what they brought. Decides; the scheduler acts. */
export class JobRun {
  readonly jobId: number;
  readonly #stages = new Map<StageId, StageRun>();
  readonly #last: StageRun;
  #failure: unknown;
  #resultBytes = 0;

  constructor(jobId: number, stages: readonly Stage[]) {
    this.jobId = jobId;
    for (const stage of stages) {
      this.#stages.set(stage.id, {
        stage,
        state: 'WAITING',
        results: new Map(stage.known),
        missing: new Set(stage.tasks.map(({ partition }) => partition)),
      });
    }
    const last = this.#stages.get(stages.at(-1)?.id as StageId);
    invariant(last !== undefined, `job ${jobId} has a stage`);
    this.#last = last;
  }

  /** Stages that may run now: what they depend on has succeeded. They are RUNNING from here on; one without tasks succeeds. */
  start(): readonly Stage[] {
    const started: Stage[] = [];
    for (const run of this.#stages.values()) {
      const ready = run.stage.dependencies.every((id) => this.#stages.get(id)?.state === 'SUCCEEDED');
      if (run.state !== 'WAITING' || !ready) continue;
      this.#move(run, 'RUNNING');
      if (run.missing.size === 0) this.#move(run, 'SUCCEEDED');
      else started.push(run.stage);
    }
    return started;
  }

  /** The result of this task is still missing. */
  awaits(stageId: StageId, partition: number): boolean {
    const run = this.#stages.get(stageId);
    return run?.state === 'RUNNING' && run.missing.has(partition);
  }

  /** False: it was known already, or nobody waits for it any more. */
  succeeded(stageId: StageId, partition: number, result: Uint8Array): boolean {
    const run = this.#stages.get(stageId);
    if (run?.state !== 'RUNNING' || !run.missing.delete(partition)) return false;
    run.results.set(partition, result);
    this.#resultBytes += result.length;
    if (run.missing.size === 0) this.#move(run, 'SUCCEEDED');
    return true;
  }

  /** The stage cannot succeed: neither can the job. Its other running stages are returned, to be cancelled. */
  failed(stageId: StageId, error: unknown): readonly Stage[] {
    const run = this.#stages.get(stageId);
    if (run?.state !== 'RUNNING') return [];
    this.#move(run, 'FAILED');
    this.#failure ??= error;
    return this.cancel();
  }

  /** Running stages are returned, to be cancelled. */
  cancel(error: unknown = this.#failure): readonly Stage[] {
    const running: Stage[] = [];
    for (const run of this.#stages.values()) {
      if (run.state === 'RUNNING') running.push(run.stage);
      if (run.state === 'RUNNING' || run.state === 'WAITING') this.#move(run, 'CANCELLED');
    }
    this.#failure ??= error ?? new MillraceError('CANCELLED', `job ${this.jobId} was cancelled`);
    return running;
  }

  get action(): ActionCall {
    return this.#last.stage.action;
  }

  /** Of all results so far. */
  get resultBytes(): number {
    return this.#resultBytes;
  }

  get finished(): boolean {
    return this.#failure !== undefined || this.#last.state === 'SUCCEEDED';
  }

  /** Why it did not succeed. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Results of these task partitions; of all when none are named. */
  results(partitions?: readonly number[]): readonly Uint8Array[] {
    const { results } = this.#last;
    return (partitions ?? [...results.keys()].toSorted((a, b) => a - b)).map((partition) => {
      const result = results.get(partition);
      invariant(result !== undefined, `job ${this.jobId} has a result of task partition ${partition}`);
      return result;
    });
  }

  #move(run: StageRun, to: StageState): void {
    run.state = transition(STAGE_TRANSITIONS, `stage ${run.stage.id} of job ${this.jobId}`, run.state, to);
  }
}

export function resultsTooLarge({ kind, place }: ActionCall, bytesMax: number): MillraceError {
  return new MillraceError(
    'RESULT_TOO_LARGE',
    `the results of ${kind}() are larger than ${bytesMax} bytes together`,
    {
      remedy:
        'Take fewer rows (take, top), reduce them on the executors, or write them there (foreachPartition); or raise actionResultBytesMax.',
      retryable: false,
      details: { place, bytesMax },
    },
  );
}
