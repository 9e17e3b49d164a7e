import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError, type Random, silentLogger, systemClock } from '@millrace/common';
import { TaskScheduler } from '@millrace/driver/embedding';
import { type TaskEngine, taskEngine } from '@millrace/executor';
import { DagScheduler } from '../../packages/driver/src/application/dag/dag-scheduler.ts';
import { directoryStateFiles } from '../../packages/driver/src/application/state/state-files.ts';
import { FunctionReferences } from '../../packages/local/src/function-references.ts';
import { InProcessExecutor } from './in-process-executor.ts';

type Launch = Parameters<ConstructorParameters<typeof TaskScheduler>[0]['executors']['launch']>[0];
type Backend = ConstructorParameters<typeof DagScheduler>[0]['backend'];

const APPLICATION = 'property';
const EPOCH = 1;
const BATCH_TIME = 1_000;
/** Of each kind, in the life of a cluster: a stage may run four times, and so may a task. */
const FAULTS_MAX = 3;

export interface ClusterOptions {
  readonly random: Random;
  readonly executors: number;
  readonly memoryBytesMax: number;
  readonly inlineBytesMax: number;
  /** That an executor is killed when a task is launched; another one joins at once. */
  readonly killChance: number;
  /** That a task which has done its work fails. */
  readonly failChance: number;
}

/** The driver's scheduling and the executors' real tasks, files and spills, in one process: all but the network and the processes. */
export class InProcessCluster {
  readonly tally = { tasks: 0, kills: 0, failures: 0 };
  /** What runs the actions of datasets. */
  readonly runner: DagScheduler;
  readonly #options: ClusterOptions;
  readonly #executors = new Map<string, InProcessExecutor>();
  readonly #scheduler: TaskScheduler;
  readonly #engine: TaskEngine;
  readonly #ends: Promise<void>[] = [];
  readonly #checkpoints = join(tmpdir(), `millrace-property-${process.pid}-${randomUUID()}`);

  constructor(options: ClusterOptions) {
    this.#options = options;
    const references = new FunctionReferences();
    const engine = taskEngine();
    this.#engine = {
      ...engine,
      openProgram: async () => references.program,
      runPipeline: async (request) => {
        const outcome = await engine.runPipeline(request);
        if (!this.#strikes('failures', options.failChance)) return outcome;
        throw new MillraceError('TASK_OOM', 'this attempt had bad luck', { retryable: true });
      },
    };
    this.#scheduler = new TaskScheduler({
      clock: systemClock,
      logger: silentLogger,
      executors: {
        launch: (launch) => this.#launch(launch),
        kill: () => undefined,
        prefetch: () => undefined,
        flush: () => undefined,
        dropBlock: () => undefined,
        dropShuffle: () => undefined,
      },
      fetchResult: () => Promise.reject(new Error('results are never remote')),
    });
    for (let index = 0; index < options.executors; index++) this.#join();
    this.runner = new DagScheduler({
      checkpointFiles: directoryStateFiles(this.#checkpoints),
      backend: this.#backend(),
      clock: systemClock,
      logger: silentLogger,
      application: APPLICATION,
      epoch: EPOCH,
      programHash: 'by-reference',
      job: {
        batchInterval: 1_000,
        taskAttemptsMax: 2 * FAULTS_MAX + 2,
        taskTimeout: 60_000,
        kafkaTimeout: 600_000,
        localityWait: 0,
        actionResultBytesMax: 1e9,
      },
      ship: references.ship,
      kafka: () => {
        throw new Error('there is no Kafka');
      },
      leaderHost: () => '',
      applyAccumulators: () => undefined,
      takeAccumulatorChanges: () => [],
      mapError: (error) => error,
      event: () => undefined,
    });
    this.runner.beginBatch(BATCH_TIME);
  }

  /** Leaves nothing behind. */
  async close(): Promise<void> {
    this.runner.endBatch();
    this.#scheduler.stop();
    await Promise.all([...this.#executors.values()].map((executor) => executor.kill()));
    await Promise.all(this.#ends);
    await rm(this.#checkpoints, { recursive: true, force: true });
  }

  #backend(): Backend {
    const scheduler = this.#scheduler;
    return {
      get slots() {
        return scheduler.slots;
      },
      submit: (set) => scheduler.submit(set),
      prefetch: () => undefined,
      cancel: (key) => scheduler.cancel(key),
      putBlob: () => Promise.reject(new Error('there are no blobs')),
      dropBlobs: () => undefined,
      dropShuffle: () => undefined,
      onEvent: (listener) => scheduler.attach(APPLICATION, listener),
    };
  }

  #join(): void {
    const id = `executor-${this.#executors.size}`;
    const { memoryBytesMax, inlineBytesMax } = this.#options;
    const executor = new InProcessExecutor({
      id,
      engine: this.#engine,
      memoryBytesMax,
      inlineBytesMax,
      checkpoints: this.#checkpoints,
      executor: (other) => this.#executors.get(other),
    });
    this.#executors.set(id, executor);
    this.#scheduler.handle({ kind: 'executor-joined', executorId: id, host: 'localhost' });
    const ready = [...executor.slots.keys()];
    this.#scheduler.handle({ kind: 'slots-ready', executorId: id, ready });
  }

  #kill(): void {
    const alive = [...this.#executors.values()].filter(({ abort }) => !abort.signal.aborted);
    const victim = alive[Math.floor(this.#options.random.next() * alive.length)];
    if (victim === undefined) return;
    this.#ends.push(victim.kill());
    const error = MillraceError.toRecord(new MillraceError('EXECUTOR_LOST', `${victim.id} was killed`));
    this.#scheduler.handle({ kind: 'executor-lost', executorId: victim.id, error });
    this.#join();
  }

  #strikes(what: 'kills' | 'failures', chance: number): boolean {
    if (this.tally[what] >= FAULTS_MAX || this.#options.random.next() >= chance) return false;
    this.tally[what]++;
    return true;
  }

  #launch(launch: Launch): void {
    this.tally.tasks++;
    const executor = this.#executors.get(launch.executorId);
    if (executor === undefined || executor.abort.signal.aborted) return;
    const { slot } = launch;
    const before = executor.last[slot] ?? Promise.resolve();
    executor.last[slot] = before.then(() => this.#run(executor, launch)).catch(thrownAside);
    if (this.#strikes('kills', this.#options.killChance)) setImmediate(() => this.#kill());
  }

  async #run(executor: InProcessExecutor, { slot, key, set, task }: Launch): Promise<void> {
    const { signal } = executor.abort;
    const runner = executor.slots[slot];
    if (runner === undefined || signal.aborted) return;
    const { jobId: job, stageId: stage, ...rest } = key;
    const request = {
      key: { ...rest, job, stage },
      programHash: set.programHash,
      programDir: '',
      stage: set.stage,
      task: task.task,
    };
    let outcome = await runner.run(runner.prepare(request), signal);
    if (signal.aborted) return;
    try {
      if (outcome.kind === 'succeeded' && outcome.written) await executor.store.admit(outcome.written);
    } catch (error) {
      outcome = { kind: 'failed', error: MillraceError.toRecord(error), metrics: outcome.metrics };
    }
    // What the dead have to say nobody hears.
    if (signal.aborted) return;
    this.#scheduler.handle({
      kind: 'attempt-ended',
      end: {
        executorId: executor.id,
        blockAddress: executor.id,
        slot,
        key,
        outcome:
          outcome.kind === 'succeeded'
            ? { kind: 'result', result: outcome.result }
            : { kind: 'failure', error: outcome.error },
        accumulators: outcome.kind === 'succeeded' ? outcome.accumulators : new Uint8Array(),
        metrics: { ...outcome.metrics, queueMs: 0 },
      },
    });
  }
}

/** What neither a task nor the scheduler may throw: the test ends by it, and does not wait for its deadline. */
function thrownAside(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
