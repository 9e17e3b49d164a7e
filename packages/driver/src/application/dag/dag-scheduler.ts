import type { AccumulatorChange, FunctionShipper, JobRequest, JobRunner } from '@millrace/api/internal';
import { type Clock, MillraceError } from '@millrace/common';
import type { KafkaClient, KafkaOptions } from '@millrace/kafka';
import type { ApplicationEvent } from '../../application-events.ts';
import { shuffleDirectory } from '../../shuffle-names.ts';
import type { ExpectedRange, TaskEvent } from '../../task-backend.ts';
import { BatchShuffles } from './batch-shuffles.ts';
import { BlobKeeper } from './blob-keeper.ts';
import { type BatchTally, JobExecution, type JobExecutionOptions } from './job-execution.ts';
import { JobRun } from './job-run.ts';
import { SlotWatch } from './slot-watch.ts';
import type { Stage } from './stage.ts';
import { buildStages } from './stage-builder.ts';
import type { LeaderHost } from './task-preference.ts';

export interface DagSchedulerOptions extends JobExecutionOptions {
  readonly clock: Clock;
  readonly ship: FunctionShipper;
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly leaderHost: LeaderHost;
  /** Named accumulators that changed since the last call. */
  readonly takeAccumulatorChanges: () => readonly AccumulatorChange[];
  readonly event: (event: ApplicationEvent) => void;
}

/** What the tasks of one batch did. */
export interface BatchTotals extends Readonly<BatchTally> {
  readonly accumulators: readonly AccumulatorChange[];
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
  #batch: Batch | undefined;
  #cancelled: MillraceError | undefined;
  readonly #slotWatch: SlotWatch;
  readonly ship: FunctionShipper;

  constructor(options: DagSchedulerOptions) {
    this.#options = options;
    this.#blobs = new BlobKeeper(options.backend);
    this.ship = options.ship;
    this.#slotWatch = new SlotWatch(
      options.clock,
      () => this.isStalled,
      (text) => options.event({ kind: 'notice', level: 'warn', text }),
    );
    options.backend.onEvent((event) => this.#handle(event));
  }

  /** Jobs wait, and there is no executor. */
  get isStalled(): boolean {
    return this.#jobs.size > 0 && this.#options.backend.slots === 0;
  }

  /** Jobs belong to this batch until `endBatch`. */
  beginBatch(batchTime: number): void {
    const tally = { records: 0, tasks: 0, failedAttempts: 0 };
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
    this.#dropShuffle();
    const { records = 0, tasks = 0, failedAttempts = 0 } = this.#batch?.tally ?? {};
    this.#batch = undefined;
    this.#blobs.endBatch();
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
  }

  async run(request: JobRequest): Promise<readonly Uint8Array[]> {
    if (this.#cancelled) throw this.#cancelled;
    const batch = this.#batch;
    if (batch === undefined) {
      throw new MillraceError('BAD_REQUEST', 'an RDD action was started when its batch was over', {
        remedy: 'Await every action in foreachRDD, or return its promise.',
      });
    }
    const stages = buildStages(request, batch.stageIds + 1, this.#options.leaderHost);
    if (stages.length > 1 && !this.#options.backend.canShuffle) throw cannotShuffle(request.action.place);
    batch.stageIds += stages.length;
    batch.hasShuffled ||= stages.length > 1;
    const job = this.#begin(batch, stages);
    await job.done;
    return job.run.results(request.partitions);
  }

  #begin(batch: Batch, stages: readonly Stage[]): JobExecution {
    const { batchTime, tally, shuffles } = batch;
    const { application, epoch } = this.#options;
    const jobId = ++batch.jobIds;
    const directoryOf = (stageId: number): string =>
      shuffleDirectory({ application, epoch, batchTime, jobId, stageId });
    const run = new JobRun({ jobId, stages, shuffles, directoryOf });
    const ended = (): void => {
      this.#jobs.delete(run.jobId);
      if (this.#jobs.size === 0) this.#slotWatch.stop();
    };
    const job = new JobExecution(run, this.#options, { batchTime, tally, blobs: this.#blobs, ended });
    this.#jobs.set(run.jobId, job);
    this.#slotWatch.watch();
    job.advance();
    return job;
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
    this.#jobs.get(event.key.jobId)?.handle(event);
  }

  /** Its jobs are over: nobody reads what map tasks left on executors. */
  #dropShuffle(): void {
    const { backend, application, epoch } = this.#options;
    if (!this.#batch?.hasShuffled) return;
    this.#batch.hasShuffled = false;
    backend.dropShuffle({ application, epoch, batchTime: this.#batch.batchTime });
  }
}

function cannotShuffle(place: string): MillraceError {
  return new MillraceError('JOB_INVALID', 'an embedded application cannot move rows between tasks yet', {
    remedy:
      'Submit the job to a driver (millrace submit), or leave out what shuffles (reduceByKey, join, repartition, …).',
    details: { place },
  });
}
