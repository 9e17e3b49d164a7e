import type { TaskContextData } from '@millrace/api/internal';
import type { ReviveContext } from '@millrace/closures';
import { type Clock, MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskKey } from '@millrace/proto';
import {
  decodeStage,
  decodeTask,
  type ShuffleBlockMessage,
  type StageMessage,
  type TaskMessage,
} from '@millrace/proto/task';
import { DeadLetters } from '../output/dead-letters.ts';
import { sinkOpener } from '../output/index.ts';
import { ProducerCache } from '../output/producer-cache.ts';
import type { OpenSink } from '../output/task-sink.ts';
import type { PipelineOutcome } from '../pipeline/index.ts';
import type { TaskStorage } from '../pipeline/task-storage.ts';
import type { BlockSource } from '../shuffle/shuffle-reader.ts';
import type { SlotMetrics, SlotOutcome } from '../slots/slot.ts';
import { ConsumerCache } from '../source/consumer-cache.ts';
import { meterInput } from '../source/input-meter.ts';
import type { FetchState } from '../state/state-load.ts';
import { StateStore } from '../state/state-store.ts';
import type { TaskStates } from '../state/state-write.ts';
import type { TaskEngine } from './engine-ports.ts';
import { ProgramShelf } from './program-shelf.ts';
import { SnapshotSource } from './snapshot-source.ts';
import { openInput, type TaskInputOptions, toOffsetRange } from './task-input.ts';
import { TaskLambdas } from './task-lambdas.ts';
import type { PreparedTask, TaskRequest, Work } from './task-request.ts';

export interface TaskRunnerOptions {
  readonly executorId: string;
  readonly engine: TaskEngine;
  /** Content by hash, from the supervisor. */
  readonly fetchBlob: (hash: string) => Promise<Uint8Array>;
  readonly clock: Clock;
  /** Where blocks of shuffles are, from the supervisor. Absent: there are no shuffles here. */
  readonly locate?: (blocks: readonly ShuffleBlockMessage[]) => Promise<readonly BlockSource[]>;
  readonly storage?: TaskStorage;
  /** Sections of keyed state, from the supervisor. Absent: there is no keyed state here. */
  readonly fetchState?: FetchState;
  /** A `perExecutor` value could not be disposed: nothing waits for that, somebody should know. */
  readonly onDisposeFailure?: (error: unknown) => void;
}

const PROGRAMS_MAX = 8;
const BROADCAST_BYTES_MAX = 128 * 1024 * 1024;

/** Runs attempts, one after the other, inside a slot: decodes, revives, reads, computes. */
export class TaskRunner {
  readonly consumers: ConsumerCache;
  readonly #options: TaskRunnerOptions;
  readonly #programs: ProgramShelf;
  readonly #snapshots: SnapshotSource;
  readonly #states: TaskStates | undefined;
  readonly #producers: ProducerCache;
  readonly #openSink: OpenSink;
  #stage: StageMessage | undefined;

  constructor(options: TaskRunnerOptions) {
    const { engine, clock, fetchBlob, fetchState, onDisposeFailure = () => undefined } = options;
    this.#options = options;
    this.consumers = new ConsumerCache({ connect: engine.connectKafka, clock });
    this.#producers = new ProducerCache({ connect: engine.connectKafka, clock });
    this.#openSink = sinkOpener(this.#producers);
    this.#states = fetchState && { store: new StateStore(), fetch: fetchState };
    this.#programs = new ProgramShelf({
      open: engine.openProgram,
      programsMax: PROGRAMS_MAX,
      onDisposeFailure,
    });
    this.#snapshots = new SnapshotSource({ fetch: fetchBlob, bytesMax: BROADCAST_BYTES_MAX });
  }

  /**
   * Reads what a request says, in the order in which requests come, and begins to fetch its records when their consumer is at hand. Never
   * throws: what is wrong with the request is found again by `run`.
   */
  prepare(request: TaskRequest): PreparedTask {
    try {
      return { request, work: this.#workOf(request) };
    } catch (error) {
      return { request, failure: error };
    }
  }

  /** Never rejects: what goes wrong is a failed outcome. One task at a time. */
  async run(prepared: PreparedTask, signal: AbortSignal): Promise<SlotOutcome> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const meter: Meter = { records: 0, bytes: 0, fetchMs: 0, consumerCached: false };
    const metrics = (records: number): SlotMetrics => ({
      ...meter,
      records: Math.max(records, meter.records),
      runMs: clock.monotonic() - startedAt,
    });
    try {
      if (!prepared.work) throw prepared.failure;
      const { records, ...made } = await this.#run(prepared.request, prepared.work, signal, meter);
      return { kind: 'succeeded', ...made, metrics: metrics(records) };
    } catch (error) {
      const record = MillraceError.toRecord(toTaskError(error));
      return { kind: 'failed', error: record, metrics: metrics(0) };
    }
  }

  /** What only older epochs of an application used is no longer needed: their `perExecutor` values are disposed. */
  dropApplication(application: string, belowEpoch: number): void {
    this.#programs.dropApplication(application, belowEpoch);
    this.#states?.store.dropApplication(application, belowEpoch);
    this.#producers.dropApplication(application, belowEpoch);
  }

  /** Broadcasts that were destroyed. */
  dropBlobs(hashes: readonly string[]): void {
    for (const hash of hashes) this.#snapshots.drop(hash);
  }

  /** Disposes all `perExecutor` values and closes the connections. No task may run. */
  async close(): Promise<void> {
    await this.#programs.close();
    await this.consumers.close();
    await this.#producers.close();
  }

  #workOf(request: TaskRequest): Work {
    if (request.stage) {
      // Should it not decode, the next task must not run with the stage before it.
      this.#stage = undefined;
      this.#stage = decodeStage(request.stage);
    }
    const stage = this.#stage;
    const task = decodeTask(request.task);
    const pipeline = stage?.pipelines[task.pipeline];
    if (!stage || !pipeline)
      throw new MillraceError('INTERNAL', `the stage has no pipeline ${task.pipeline}`);
    const range = task.input.kind === 'range' ? toOffsetRange(task.input.range) : undefined;
    if (range && request.key.attempt === 0) this.consumers.prefetch(range);
    return { stage, task, pipeline, range };
  }

  async #run(
    request: TaskRequest,
    { stage, task, pipeline, range }: Work,
    signal: AbortSignal,
    meter: Meter,
  ): Promise<PipelineOutcome & { readonly accumulators: Uint8Array }> {
    const { engine, storage } = this.#options;
    // It may have been killed while it waited.
    signal.throwIfAborted();
    const context = this.#contextOf(request.key, stage, range, signal);
    const deadLetters = new DeadLetters(context, this.#producers);
    const lease = this.#programs.lease(request.key, request.programHash, request.programDir);
    try {
      const revived = await this.#reviveContext(task, context);
      const lambdas = new TaskLambdas(await lease.program, revived, this.#snapshots);
      const read = { bytes: 0 };
      const common = { stage, task: context, signal, deadLetters, read, ...(storage && { storage }) };
      const functions = {
        ...(await lambdas.ofPipeline(pipeline)),
        action: await lambdas.all(stage.action.closures),
      };
      signal.throwIfAborted();
      const opened = await openInput(
        {
          ...this.#inputs(request.key, meter),
          engine,
          count: (id, amount) => engine.accumulator(id, () => context.accumulators).add(amount),
          child: async (chain) => {
            const operators = await lambdas.ofPipeline(chain);
            return { ...common, pipeline: chain, functions: { ...operators, action: [] } };
          },
          signal,
          storage,
        },
        pipeline,
        task.input,
        engine.mayReuseColumns(pipeline, stage),
      );
      let ok = false;
      try {
        const outcome = await engine.runWithTaskContext(context, () =>
          engine.runPipeline({
            ...common,
            pipeline,
            ...(this.#states && { states: this.#states }),
            input: opened.input,
            ...(range ? { range } : {}),
            functions,
            openSink: this.#openSink,
          }),
        );
        await deadLetters.finish();
        ok = true;
        return { ...outcome, accumulators: engine.encodeAccumulators(context.accumulators) };
      } finally {
        if (!ok) await deadLetters.abort();
        opened.release(ok);
      }
    } finally {
      lease.release();
    }
  }

  #contextOf(
    key: TaskKey,
    stage: StageMessage,
    range: OffsetRange | undefined,
    signal: AbortSignal,
  ): TaskContextData {
    return {
      application: key.application,
      epoch: key.epoch,
      batchTime: key.batchTime,
      jobId: key.job,
      stageId: key.stage,
      partitionId: key.partition,
      attemptNumber: key.attempt,
      executorId: this.#options.executorId,
      ...(range ? { offsetRange: range } : {}),
      offsetRanges: stage.ranges.map(toOffsetRange),
      signal,
      accumulators: new Map(),
      completions: [],
    };
  }

  async #reviveContext(task: TaskMessage, context: TaskContextData): Promise<ReviveContext> {
    const values = new Map<string, unknown>();
    for (const hash of task.broadcasts) values.set(hash, await this.#snapshots.broadcast(hash));
    const { engine } = this.#options;
    return {
      broadcast(id) {
        if (values.has(id)) return { value: values.get(id) };
        throw new MillraceError('BLOCK_MISSING', `broadcast ${id.slice(0, 12)} was not sent with the task`, {
          details: { blockId: id },
        });
      },
      accumulator: (id, custom) => engine.accumulator(id, () => context.accumulators, custom),
    };
  }

  #inputs(
    { application, attempt }: TaskKey,
    meter: Meter,
  ): Pick<TaskInputOptions, 'lease' | 'meter' | 'locate' | 'fetchSection'> {
    const { clock, locate, fetchState } = this.#options;
    return {
      lease: ({ source }, range) => {
        if (source.kind !== 'kafka') throw new MillraceError('INTERNAL', `${source.kind} has no consumer`);
        return this.consumers.lease(source.kafka, range, attempt);
      },
      meter: (lease, read) => {
        meter.consumerCached = lease.cached;
        return meterInput(read, meter, clock);
      },
      locate:
        locate ??
        (() => Promise.reject(new MillraceError('INTERNAL', 'there are no shuffles in this process'))),
      fetchSection: async (section) => {
        if (!fetchState) throw new MillraceError('INTERNAL', 'there is no checkpoint store in this process');
        return await fetchState(application, { ...section, version: '' });
      },
    };
  }
}

interface Meter {
  /** Of all that is merged. */
  records: number;
  bytes: number;
  fetchMs: number;
  consumerCached: boolean;
}

/** What a task threw that is not ours is the job's: a lambda, or a package that it uses. */
function toTaskError(error: unknown): MillraceError {
  return MillraceError.from(error, 'USER_CODE');
}
