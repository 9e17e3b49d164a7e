import type {
  AccumulatorChange,
  FunctionShipper,
  JobOptions,
  JobRequest,
  JobRunner,
} from '@millrace/api/internal';
import {
  assertNever,
  type Clock,
  type ErrorRecord,
  type Logger,
  MillraceError,
  messageOf,
} from '@millrace/common';
import type { KafkaClient, KafkaOptions } from '@millrace/kafka';
import type { ApplicationEvent } from '../../application-events.ts';
import type { ExpectedRange, StageKey, TaskBackend, TaskEvent } from '../../task-backend.ts';
import { BlobKeeper } from './blob-keeper.ts';
import { JobRun, resultsTooLarge } from './job-run.ts';
import { SlotWatch } from './slot-watch.ts';
import type { Stage, StageId } from './stage.ts';
import { buildStages, type LeaderHost } from './stage-builder.ts';
import { type EncodedStage, encodeStageTasks } from './stage-encoder.ts';

export interface DagSchedulerOptions {
  readonly backend: TaskBackend;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly application: string;
  readonly epoch: number;
  readonly programHash: string;
  readonly job: Pick<
    JobOptions,
    'batchInterval' | 'taskAttemptsMax' | 'taskTimeout' | 'localityWait' | 'actionResultBytesMax'
  >;
  readonly ship: FunctionShipper;
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly leaderHost: LeaderHost;
  readonly applyAccumulators: (updates: Uint8Array) => void;
  /** Named accumulators that changed since the last call. */
  readonly takeAccumulatorChanges: () => readonly AccumulatorChange[];
  /** Moves a task's stack to the user's sources. */
  readonly mapError: (error: ErrorRecord) => ErrorRecord;
  readonly event: (event: ApplicationEvent) => void;
}

/** What the tasks of one batch did. */
export interface BatchTotals {
  readonly records: number;
  readonly tasks: number;
  readonly failedAttempts: number;
  readonly accumulators: readonly AccumulatorChange[];
}

interface Job {
  readonly run: JobRun;
  readonly batchTime: number;
  readonly done: PromiseWithResolvers<void>;
}

const LOCALITY_WAIT_MS_MAX = 3_000;

/** Runs the jobs of one batch at a time: stages whose dependencies are done go to the backend as task sets. */
export class DagScheduler implements JobRunner {
  readonly #options: DagSchedulerOptions;
  readonly #blobs: BlobKeeper;
  readonly #jobs = new Map<number, Job>();
  #batchTime: number | undefined;
  #jobIds = 0;
  #stageIds = 0;
  #records = 0;
  #tasks = 0;
  #failedAttempts = 0;
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
    this.#batchTime = batchTime;
    this.#jobIds = 0;
    this.#stageIds = 0;
    this.#records = 0;
    this.#tasks = 0;
    this.#failedAttempts = 0;
  }

  endBatch(): BatchTotals {
    this.#batchTime = undefined;
    this.#blobs.endBatch();
    return {
      records: this.#records,
      tasks: this.#tasks,
      failedAttempts: this.#failedAttempts,
      accumulators: this.#options.takeAccumulatorChanges(),
    };
  }

  /**
   * Waits for jobs that the driver lambda started and did not await: a batch is done when all of its jobs are.
   * @throws what the first of them that failed threw.
   */
  async settled(): Promise<void> {
    while (this.#jobs.size > 0) {
      await Promise.all([...this.#jobs.values()].map(({ done }) => done.promise));
    }
  }

  /** Ends all jobs with CANCELLED, and those to come. */
  cancelAll(why: string): void {
    this.#cancelled ??= new MillraceError('CANCELLED', why);
    // A Map may be taken from while it is walked.
    for (const job of this.#jobs.values()) {
      this.#cancelStages(job, job.run.cancel(this.#cancelled));
      this.#finish(job);
    }
  }

  async run(request: JobRequest): Promise<readonly Uint8Array[]> {
    if (this.#cancelled) throw this.#cancelled;
    const batchTime = this.#batchTime;
    if (batchTime === undefined) {
      throw new MillraceError('BAD_REQUEST', 'an RDD action was started when its batch was over', {
        remedy: 'Await every action in foreachRDD, or return its promise.',
      });
    }
    const stages = buildStages(request, this.#stageIds + 1, this.#options.leaderHost);
    this.#stageIds += stages.length;
    const run = new JobRun(++this.#jobIds, stages);
    const job: Job = { run, batchTime, done: Promise.withResolvers() };
    // Whoever started the job awaits it below; `settled` may await it, too.
    job.done.promise.catch(() => undefined);
    this.#jobs.set(run.jobId, job);
    this.#advance(job);
    await job.done.promise;
    return run.results(request.partitions);
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

  /** Submits what has become ready; ends the job when nothing is left to do. */
  #advance(job: Job): void {
    for (let ready = job.run.start(); ready.length > 0; ready = job.run.start()) {
      for (const stage of ready) this.#submit(job, stage);
    }
    if (job.run.finished) this.#finish(job);
    else this.#slotWatch.watch();
  }

  #submit(job: Job, stage: Stage): void {
    const { batchInterval } = this.#options.job;
    try {
      const encoded = encodeStageTasks(stage, batchInterval);
      if (encoded.blobs.size === 0 && encoded.broadcasts.length === 0) {
        this.#submitSet(job, stage, encoded);
        return;
      }
      void this.#submitWithBlobs(job, stage, encoded);
    } catch (error) {
      this.#fail(job, stage.id, error);
    }
  }

  async #submitWithBlobs(job: Job, stage: Stage, encoded: EncodedStage): Promise<void> {
    try {
      await this.#blobs.ready(encoded.blobs, encoded.broadcasts);
      // The job may have been cancelled meanwhile.
      if (!job.run.finished) this.#submitSet(job, stage, encoded);
    } catch (error) {
      this.#fail(job, stage.id, error);
    }
  }

  #submitSet(job: Job, stage: Stage, { stage: bytes, tasks }: EncodedStage): void {
    const { backend, programHash, job: limits } = this.#options;
    this.#tasks += tasks.length;
    backend.submit({
      key: this.#key(job, stage.id),
      programHash,
      stage: bytes,
      tasks,
      attemptsMax: limits.taskAttemptsMax,
      taskTimeoutMs: limits.taskTimeout,
      localityWaitMs: limits.localityWait ?? Math.min(LOCALITY_WAIT_MS_MAX, limits.batchInterval / 10),
    });
  }

  #handle(event: TaskEvent): void {
    const job = this.#jobs.get(event.key.jobId);
    // Events of an earlier batch or epoch may be on their way still.
    if (!job || job.batchTime !== event.key.batchTime || event.key.epoch !== this.#options.epoch) return;
    const stageId = event.key.stageId as StageId;
    switch (event.kind) {
      case 'task-succeeded':
        // Accumulators first: a stage that has succeeded can no longer fail.
        if (!job.run.awaits(stageId, event.partition)) return;
        if (job.run.resultBytes + event.result.length > this.#options.job.actionResultBytesMax) {
          this.#fail(job, stageId, resultsTooLarge(job.run.action, this.#options.job.actionResultBytesMax));
          return;
        }
        if (!this.#applyAccumulators(job, stageId, event.accumulators)) return;
        job.run.succeeded(stageId, event.partition, event.result);
        this.#records += event.metrics.records;
        this.#advance(job);
        return;
      case 'attempt-failed':
        this.#failedAttempts++;
        this.#options.logger.warn(
          {
            batchTime: job.batchTime,
            stageId,
            partition: event.partition,
            attempt: event.attempt,
            executorId: event.executorId,
            code: event.error.code,
            reason: event.error.what,
          },
          'task attempt failed; another one follows',
        );
        return;
      case 'set-failed':
        this.#failedAttempts++;
        this.#fail(job, stageId, MillraceError.fromRecord(this.#options.mapError(event.error)));
        return;
      default:
        assertNever(event, 'task event');
    }
  }

  #applyAccumulators(job: Job, stageId: StageId, updates: Uint8Array): boolean {
    try {
      this.#options.applyAccumulators(updates);
      return true;
    } catch (error) {
      const what = `accumulator updates could not be applied: ${messageOf(error)}`;
      // A merge function of the user's is the user's.
      const coded = MillraceError.is(error) ? error : new MillraceError('INTERNAL', what, { cause: error });
      this.#fail(job, stageId, coded);
      return false;
    }
  }

  #fail(job: Job, stageId: StageId, error: unknown): void {
    this.#cancelStages(job, job.run.failed(stageId, error));
    this.#finish(job);
  }

  #cancelStages(job: Job, stages: readonly Stage[]): void {
    for (const stage of stages) this.#options.backend.cancel(this.#key(job, stage.id));
  }

  #finish(job: Job): void {
    if (!job.run.finished || !this.#jobs.delete(job.run.jobId)) return;
    if (this.#jobs.size === 0) this.#slotWatch.stop();
    if (job.run.failure === undefined) job.done.resolve();
    else job.done.reject(job.run.failure);
  }

  #key({ run, batchTime }: Job, stageId: StageId): StageKey {
    const { application, epoch } = this.#options;
    return { application, epoch, batchTime, jobId: run.jobId, stageId };
  }
}
