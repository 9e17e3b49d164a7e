import {
  type AccumulatorChange,
  cutLineage,
  type FunctionShipper,
  type JobRequest,
  type JobRunner,
  type KeptState,
  type PersistedNode,
  partitionCount,
  type StoredNode,
} from '@millrace/api/internal';
import { type Clock, MillraceError } from '@millrace/common';
import type { KafkaClient, KafkaOptions } from '@millrace/kafka';
import type { ApplicationEvent } from '../../application-events.ts';
import { shuffleDirectory } from '../../shuffle-names.ts';
import type { ExpectedRange, TaskEvent } from '../../task-backend.ts';
import type { StateFiles } from '../state/state-files.ts';
import { BatchShuffles } from './batch-shuffles.ts';
import { BlobKeeper } from './blob-keeper.ts';
import { type BatchTally, JobExecution, type JobExecutionOptions } from './job-execution.ts';
import { JobRun } from './job-run.ts';
import { KafkaWatch } from './kafka-watch.ts';
import { KeptDatasets } from './kept-datasets.ts';
import { RddCheckpoints } from './rdd-checkpoints.ts';
import { SlotWatch } from './slot-watch.ts';
import { StagePlanner } from './stage-builder.ts';
import type { LeaderHost } from './task-preference.ts';

export interface DagSchedulerOptions extends JobExecutionOptions {
  readonly clock: Clock;
  readonly ship: FunctionShipper;
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly leaderHost: LeaderHost;
  /** Named accumulators that changed since the last call. */
  readonly takeAccumulatorChanges: () => readonly AccumulatorChange[];
  readonly event: (event: ApplicationEvent) => void;
  /** Where checkpoints of RDDs are kept. Absent: nowhere. */
  readonly checkpointFiles?: StateFiles | undefined;
}

/** What the tasks of one batch did. */
export interface BatchTotals extends Readonly<Omit<BatchTally, 'records'>> {
  /** Read from outside; what several jobs read counts once. */
  readonly records: number;
  readonly accumulators: readonly AccumulatorChange[];
}

/** Nothing is read of it yet. */
interface StoreRequest {
  readonly store: StoredNode;
}

interface Batch {
  readonly batchTime: number;
  readonly tally: BatchTally;
  jobIds: number;
  stageIds: number;
  /** Some of its tasks leave rows on executors. */
  hasShuffled: boolean;
  readonly shuffles: BatchShuffles;
}

/** Runs the jobs of one batch at a time: stages whose dependencies are done go to the backend as task sets. */
export class DagScheduler implements JobRunner {
  readonly #options: DagSchedulerOptions;
  readonly #blobs: BlobKeeper;
  readonly #jobs = new Map<number, JobExecution>();
  readonly #datasets: KeptDatasets;
  readonly #checkpoints: RddCheckpoints | undefined;
  /** Counts map outputs. */
  readonly #time = { now: 0 };
  #batch: Batch | undefined;
  #cancelled: MillraceError | undefined;
  readonly #slotWatch: SlotWatch;
  readonly #kafkaWatch: KafkaWatch;
  readonly ship: FunctionShipper;

  constructor(options: DagSchedulerOptions) {
    this.#options = options;
    this.#blobs = new BlobKeeper(options.backend);
    this.ship = options.ship;
    const { backend, application, epoch } = options;
    const { checkpointFiles: files, logger } = options;
    this.#checkpoints = files && new RddCheckpoints({ files, epoch, logger });
    this.#datasets = new KeptDatasets((names, id) => {
      for (const kept of names) backend.dropShuffle({ application, epoch, kept });
      this.#checkpoints?.drop(id);
    });
    this.#slotWatch = new SlotWatch(
      options.clock,
      () => this.isStalled,
      (text) => options.event({ kind: 'notice', level: 'warn', text }),
    );
    this.#kafkaWatch = new KafkaWatch(options.job.kafkaTimeout, (level, text) =>
      options.event({ kind: 'notice', level, text }),
    );
    options.backend.onEvent((event) => this.#handle(event));
  }

  /** Jobs wait, and there is no executor. */
  get isStalled(): boolean {
    return this.#jobs.size > 0 && this.#options.backend.slots === 0;
  }

  get runsJobs(): boolean {
    return this.#jobs.size > 0;
  }

  /** Jobs belong to this batch until `endBatch`. */
  beginBatch(batchTime: number): void {
    this.#options.states?.beginBatch(batchTime);
    const tally = { records: new Map<unknown, number>(), tasks: 0, failedAttempts: 0 };
    this.#batch = {
      batchTime,
      tally,
      jobIds: 0,
      stageIds: 0,
      hasShuffled: false,
      shuffles: new BatchShuffles(),
    };
  }

  endBatch(): BatchTotals {
    const batch = this.#batch;
    // Attempts that failed may have left files, too.
    if (batch?.shuffles.areInline === true && batch.tally.failedAttempts === 0) batch.hasShuffled = false;
    this.#dropShuffle();
    const { tasks = 0, failedAttempts = 0 } = batch?.tally ?? {};
    const records = [...(batch?.tally.records.values() ?? [])].reduce((sum, read) => sum + read, 0);
    this.#batch = undefined;
    this.#blobs.endBatch();
    this.#kafkaWatch.endBatch();
    return { records, tasks, failedAttempts, accumulators: this.#options.takeAccumulatorChanges() };
  }

  /**
   * Waits for jobs that the driver lambda started and did not await: a batch is done when all of its jobs are.
   * @throws what the first of them that failed threw.
   */
  async settled(): Promise<void> {
    while (this.#jobs.size > 0) {
      await Promise.all([...this.#jobs.values()].map(({ done }) => done));
    }
  }

  /** Ends all jobs with CANCELLED, and those to come. */
  cancelAll(why: string): void {
    this.#cancelled ??= new MillraceError('CANCELLED', why);
    // A Map may be taken from while it is walked.
    for (const job of this.#jobs.values()) job.cancel(this.#cancelled);
    this.#dropShuffle();
    this.#datasets.close();
  }

  async run(request: JobRequest): Promise<readonly Uint8Array[]> {
    if (this.#cancelled) throw this.#cancelled;
    const batch = this.#batch;
    if (batch === undefined) {
      throw new MillraceError('BAD_REQUEST', 'an RDD action was started when its batch was over', {
        remedy: 'Await every action in foreachRDD, or return its promise.',
      });
    }
    const job = this.#begin(batch, request);
    await this.#finished(job);
    return job.run.results(request.partitions);
  }

  /** Computes a dataset that is stored, for the jobs of the batch that follow. Within a batch. @throws as `run`. */
  async store(node: StoredNode): Promise<void> {
    if (this.#cancelled) throw this.#cancelled;
    if (this.#batch === undefined) throw new MillraceError('INTERNAL', 'a dataset is stored within a batch');
    await this.#finished(this.#begin(this.#batch, { store: node }));
  }

  /** Checkpoints that the job made are durable, too: what they were made of may go. */
  async #finished(job: JobExecution): Promise<void> {
    await job.done;
    if (!this.#checkpoints) return;
    for (const node of job.run.checkpoints) {
      const { id, outputs } = this.#datasets.of(node);
      await this.#checkpoints.settled(id);
      if (outputs.isSecure(partitionCount(node))) cutLineage(node, this.#checkpoints.close(id));
    }
  }

  #begin(batch: Batch, request: JobRequest | StoreRequest): JobExecution {
    const { batchTime, tally, shuffles } = batch;
    const { application, epoch, leaderHost } = this.#options;
    const datasets = this.#datasets;
    const planner = new StagePlanner({ nextId: () => ++batch.stageIds, leaderHost, held: datasets });
    const stages = 'store' in request ? planner.store(request.store) : planner.cut(request);
    const jobId = ++batch.jobIds;
    const run = new JobRun({
      jobId,
      stages,
      shuffles,
      datasets,
      directoryOf: (stageId, kept) => {
        batch.hasShuffled ||= kept === undefined;
        return shuffleDirectory({ application, epoch, batchTime, jobId, stageId }, kept);
      },
      grow: (node, mapPartitions) => planner.grow(node, mapPartitions),
      time: this.#time,
      keepState: (call, partition, section) => this.#options.states?.add(call, partition, section),
      keepCopy: (kept, mapPartition, output, copy) =>
        this.#checkpoints?.add(kept, mapPartition, output, copy),
    });
    const [checkpoint] = run.checkpoints;
    if (checkpoint && !this.#checkpoints) throw noStore(checkpoint.place);
    const ended = (): void => {
      this.#jobs.delete(run.jobId);
      if (this.#jobs.size === 0) this.#slotWatch.stop();
      this.#advanceOthers();
    };
    const job = new JobExecution(run, this.#options, { batchTime, tally, blobs: this.#blobs, ended });
    this.#jobs.set(run.jobId, job);
    this.#slotWatch.watch();
    job.advance();
    this.#advanceOthers();
    return job;
  }

  stateOf(name: string): KeptState | undefined {
    return this.#options.states?.stateOf(name);
  }

  release(node: PersistedNode): void {
    this.#datasets.release(node);
  }

  /** Their tasks are about to come. */
  prefetch(expected: readonly ExpectedRange[]): void {
    if (expected.length > 0) this.#options.backend.prefetch(expected);
  }

  broadcast(content: Uint8Array): string {
    return this.#blobs.broadcast(content);
  }

  dropBroadcast(hash: string): void {
    this.#blobs.dropBroadcast(hash);
  }

  print(text: string): void {
    this.#options.event({ kind: 'output', text, error: false });
  }

  notice(text: string): void {
    this.#options.event({ kind: 'notice', level: 'info', text });
  }

  kafka(options: KafkaOptions): KafkaClient {
    return this.#options.kafka(options);
  }

  #handle(event: TaskEvent): void {
    this.#kafkaWatch.see(event);
    this.#jobs.get(event.key.jobId)?.handle(event);
    this.#advanceOthers();
  }

  /** Jobs may wait for what another one has stored, or has given up to store. */
  #advanceOthers(): void {
    while (this.#datasets.takeChanged()) for (const job of this.#jobs.values()) job.advance();
  }

  /** Its jobs are over: nobody reads what map tasks left on executors. */
  #dropShuffle(): void {
    const { backend, application, epoch } = this.#options;
    if (!this.#batch?.hasShuffled) return;
    this.#batch.hasShuffled = false;
    backend.dropShuffle({ application, epoch, batchTime: this.#batch.batchTime });
  }
}

function noStore(place: string): MillraceError {
  return new MillraceError('STATE_STORE_MISSING', `checkpoint() at ${place} has no store to write to`, {
    remedy: 'Give the embedded application a stateDir, or persist() instead.',
    details: { place },
  });
}
