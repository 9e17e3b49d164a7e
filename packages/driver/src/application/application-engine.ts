import type { EvaluatedJob, FunctionShipper, JobOptions, StreamGraph } from '@millrace/api/internal';
import {
  type Clock,
  type ErrorRecord,
  type Logger,
  MillraceError,
  problemsError,
  type Timer,
  transition,
} from '@millrace/common';
import { type KafkaClient, type KafkaOptions, offsetSpan, type TopicPartition } from '@millrace/kafka';
import type { ApplicationEvent } from '../application-events.ts';
import type { TaskBackend } from '../task-backend.ts';
import { APPLICATION_TRANSITIONS, type ApplicationState } from './application-state.ts';
import { BatchClock, type Tick } from './batch/batch-clock.ts';
import { type OpenInput, planBatch } from './batch/batch-planner.ts';
import { runBatch } from './batch/batch-run.ts';
import { DagScheduler } from './dag/dag-scheduler.ts';
import { KafkaInput } from './input/kafka-input.ts';
import { askableInputs } from './job-validation.ts';
import { KafkaClients } from './kafka-clients.ts';
import { ApplicationLog } from './log/application-log.ts';
import type { LogFiles } from './log/log-files.ts';
import { recoverLog } from './log/log-reader.ts';
import type { PlannedBatch } from './log/log-record.ts';
import { type LogState, planningPositions } from './log/log-state.ts';

export interface ApplicationEngineOptions {
  readonly job: EvaluatedJob;
  readonly programHash: string;
  readonly backend: TaskBackend;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Opened lazily: makes no connection itself. The engine closes it. */
  readonly connectKafka: (options: KafkaOptions) => KafkaClient;
  /** See `applicationLogFiles`. */
  readonly logFiles: LogFiles;
  /** Whoever watches. The last event is 'ended'. */
  readonly event: (event: ApplicationEvent) => void;
  readonly ship: FunctionShipper;
  /** Moves the stack of an error to the user's sources. */
  readonly mapError?: (error: ErrorRecord) => ErrorRecord;
}

/** A drain that takes longer becomes a stop; the batch runs again at the next start. */
const DRAIN_TIMEOUT_MS = 30_000;

/** When the batch was due, and what is not in the log about it. */
type BatchTiming = Pick<Tick, 'coalesced' | 'dueAt'> & { readonly lag: number };

/**
 * One run of one application: beats, plans, logs, runs and commits its batches, one after the other. It knows neither
 * processes nor slots: the host process and local mode wire it to theirs.
 */
export class ApplicationEngine {
  readonly #options: ApplicationEngineOptions;
  readonly #graph: StreamGraph;
  readonly #kafka: KafkaClients;
  readonly #mapError: (error: ErrorRecord) => ErrorRecord;
  #inputs: readonly OpenInput[] = [];
  #validated: LogState | undefined;
  #log: ApplicationLog | undefined;
  #dag: DagScheduler | undefined;
  #state: ApplicationState = 'CREATED';
  #completed = 0;
  /** Aborted: no further batch is planned. */
  readonly #draining = new AbortController();
  /** Aborted: the running batch ends, too. */
  readonly #cancelled = new AbortController();
  #drainTimer: Timer | undefined;
  readonly #done = Promise.withResolvers<MillraceError | undefined>();

  constructor(options: ApplicationEngineOptions) {
    this.#options = options;
    this.#graph = options.job.context.internals.graph.graph;
    this.#kafka = new KafkaClients(options.connectKafka);
    this.#mapError = options.mapError ?? ((error) => error);
  }

  get name(): string {
    return this.options.name;
  }

  get options(): JobOptions {
    return this.#options.job.options;
  }

  get state(): ApplicationState {
    return this.#state;
  }

  /** Never rejects: why the application failed, or undefined when it was stopped or reached its last batch. */
  get done(): Promise<MillraceError | undefined> {
    return this.#done.promise;
  }

  /**
   * Checks all that can be checked without running: lambdas, topics, start offsets, the log. Nothing is written.
   * Returns notes for whoever submitted the job.
   * @throws MillraceError the only problem, or JOB_INVALID listing all of them.
   */
  async validate(): Promise<readonly string[]> {
    return this.#orClose(() => this.#validate());
  }

  /**
   * Takes the epoch and begins to run. Call `validate` before.
   * @throws MillraceError LOG_CORRUPT, LOG_WRITE_FAILED, FENCED; a problem of `validate` that has come up since.
   */
  async start(): Promise<{ readonly epoch: number }> {
    return this.#orClose(() => this.#start());
  }

  async #validate(): Promise<readonly string[]> {
    const { job, ship, logFiles } = this.#options;
    const problems = [...job.context.internals.graph.finish(ship)];
    let state: LogState | undefined;
    try {
      state = recoverLog(logFiles).state;
    } catch (error) {
      problems.push(MillraceError.from(error, 'LOG_CORRUPT'));
    }
    if (state) problems.push(...(await this.#openInputs(askableInputs(this.#graph.inputs), state)));
    this.#draining.signal.throwIfAborted();
    const error = problemsError(problems);
    if (error || !state) throw error ?? new MillraceError('INTERNAL', 'the log was not read');
    this.#validated = state;
    this.#move('VALIDATED');
    return this.#notes(state);
  }

  async #start(): Promise<{ readonly epoch: number }> {
    const { job, logFiles, logger, backend, clock, programHash, ship, event } = this.#options;
    const { logSegmentBytes, logSegmentsRetained } = job.options;
    const log = ApplicationLog.open({
      files: logFiles,
      logger,
      segmentBytes: logSegmentBytes,
      segmentsRetained: logSegmentsRetained,
    });
    this.#log = log;
    if (!sameEnd(log.state, this.#validated)) {
      const error = problemsError(await this.#openInputs(this.#graph.inputs, log.state));
      if (error) throw error;
    }
    this.#dag = new DagScheduler({
      backend,
      clock,
      logger,
      application: this.name,
      epoch: log.epoch,
      programHash,
      job: job.options,
      ship,
      kafka: (options) => this.#kafka.get(options),
      leaderHost: (tp) => this.#leaderHost(tp),
      applyAccumulators: (updates) => job.context.internals.accumulators.apply(updates),
      mapError: this.#mapError,
      event,
    });
    job.context.internals.attach(this.#dag);
    this.#move('RUNNING');
    logger.info({ application: this.name, epoch: log.epoch }, 'application runs');
    const dag = this.#dag;
    // In a turn of its own: whoever called learns of the epoch before tasks of it are submitted.
    clock.schedule(0, () => {
      event({ kind: 'running', notes: this.#notes(log.state) });
      void this.#run(log, dag).then(
        (failure) => this.#end(failure),
        (failure: unknown) => this.#end(failure),
      );
    });
    return { epoch: log.epoch };
  }

  /** drain: the running batch is the last. now: it is cancelled, and runs again at the next start. Idempotent; see `done`. */
  stop({ mode }: { readonly mode: 'drain' | 'now' }): void {
    if (this.#state === 'RUNNING') {
      this.#move('DRAINING');
      this.#drainTimer = this.#options.clock.schedule(DRAIN_TIMEOUT_MS, () => {
        const text = `the last batch is not done after ${DRAIN_TIMEOUT_MS / 1000} s: it is cancelled, and runs again at the next start`;
        this.#options.event({ kind: 'notice', level: 'warn', text });
        this.#cancel(text);
      });
    }
    this.#draining.abort(new MillraceError('CANCELLED', 'the application was stopped'));
    if (mode === 'now') this.#cancel('the application was stopped');
    if (this.#state === 'CREATED' || this.#state === 'VALIDATED') void this.#end(undefined);
  }

  /** Something broke outside of a batch's own promises (an uncaught exception): the application fails with it. */
  fail(error: unknown): void {
    this.#cancelled.abort(MillraceError.from(error, 'USER_CODE'));
    this.#draining.abort(this.#cancelled.signal.reason);
    this.#dag?.cancelAll('the application failed');
    if (this.#state === 'CREATED' || this.#state === 'VALIDATED') void this.#end(error);
  }

  #cancel(why: string): void {
    this.#cancelled.abort(new MillraceError('CANCELLED', why));
    this.#dag?.cancelAll(why);
  }

  async #run(log: ApplicationLog, dag: DagScheduler): Promise<unknown> {
    const { job, clock, programHash } = this.#options;
    const { batchInterval: batchIntervalMs, batches } = job.options;
    const { pending, lastCommitted } = log.state;
    const batchClock = new BatchClock({
      clock,
      intervalMs: batchIntervalMs,
      last: pending?.batchTime ?? lastCommitted,
    });
    if (pending) {
      this.#announceRerun(pending);
      await this.#runBatch(pending, { coalesced: 0, dueAt: clock.monotonic(), lag: 0 }, log, dag);
    }
    const { signal } = this.#draining;
    while (!signal.aborted && this.#completed < (batches ?? Number.POSITIVE_INFINITY)) {
      let timing: BatchTiming;
      let planned: PlannedBatch;
      try {
        const tick = await batchClock.next(signal);
        const plan = { inputs: this.#inputs, batchIntervalMs, programHash };
        const { batch, lag } = await planBatch(plan, tick, this.#completed + 1, signal);
        planned = { ...batch, epoch: log.epoch };
        timing = { ...tick, lag };
      } catch (error) {
        if (signal.aborted) break;
        throw error;
      }
      await this.#runBatch(planned, timing, log, dag);
    }
    return this.#cancelled.signal.reason;
  }

  /** Log, run, commit. */
  async #runBatch(
    batch: PlannedBatch,
    timing: BatchTiming,
    log: ApplicationLog,
    dag: DagScheduler,
  ): Promise<void> {
    const { clock, event, job } = this.#options;
    const { batchTime } = batch;
    const begunAt = clock.monotonic();
    try {
      if (log.state.pending?.batchTime !== batchTime) {
        log.plan(batch);
        for (const { input, kafka } of this.#inputs) kafka.advance(rangesOf(batch, input.inputId));
      }
      const totals = await runBatch(batch, this.#graph.outputs, dag, this.#cancelled.signal);
      log.commit(batchTime, {
        records: totals.records,
        tasks: totals.tasks,
        processingMs: clock.monotonic() - begunAt,
      });
      const processingMs = clock.monotonic() - begunAt;
      const schedulingMs = Math.max(0, begunAt - timing.dueAt);
      this.#completed += 1;
      event({
        kind: 'batch-completed',
        batch: {
          number: this.#completed,
          batchTime,
          ...totals,
          span: batch.inputs.reduce(
            (all, { ranges }) => ranges.reduce((sum, range) => sum + offsetSpan(range), all),
            0,
          ),
          lag: timing.lag,
          schedulingMs,
          processingMs,
          totalMs: schedulingMs + processingMs,
          coalescedIntervals: timing.coalesced,
          batchIntervalMs: job.options.batchInterval,
        },
      });
    } catch (error) {
      if (!MillraceError.is(error, 'CANCELLED')) {
        event({ kind: 'batch-failed', batchTime, error: this.#mapError(MillraceError.toRecord(error)) });
      }
      throw error;
    }
  }

  #announceRerun(pending: PlannedBatch): void {
    const { event, programHash } = this.#options;
    const batch = `batch ${new Date(pending.batchTime).toISOString()}`;
    const text = `${batch} was planned and not committed: it runs again with the same offsets`;
    event({ kind: 'notice', level: 'info', text });
    if (pending.programHash === programHash) return;
    const changed = `${batch} was planned for another program: it runs with the new one`;
    event({ kind: 'notice', level: 'warn', text: changed });
  }

  /** Makes the inputs stand where the log ends. Returns all problems. */
  async #openInputs(inputs: StreamGraph['inputs'], state: LogState): Promise<readonly MillraceError[]> {
    const { clock, logger, job, event } = this.#options;
    const positions = planningPositions(state);
    this.#inputs = inputs.map((input) => ({
      input,
      kafka: new KafkaInput({
        input,
        kafka: this.#kafka.get(input.options.client),
        clock,
        logger,
        notice: (level, text) => event({ kind: 'notice', level, text }),
        kafkaTimeoutMs: job.options.kafkaTimeout,
      }),
    }));
    const opened = this.#inputs.map(({ input, kafka }) =>
      kafka
        .open(positions.get(input.inputId), this.#draining.signal)
        .catch((error: unknown) => [MillraceError.from(error, 'INTERNAL')]),
    );
    return (await Promise.all(opened)).flat();
  }

  #leaderHost(tp: TopicPartition): string {
    for (const { kafka } of this.#inputs) {
      const host = kafka.leaderHost(tp);
      if (host !== '') return host;
    }
    return '';
  }

  #notes(state: LogState): readonly string[] {
    const reads = this.#graph.inputs.map(({ strategy }) => `reads ${strategy.describe()}`);
    if (state.lastCommitted === undefined) return reads;
    return [...reads, `goes on after batch ${new Date(state.lastCommitted).toISOString()}`];
  }

  /** Before it runs, whoever called is told of a failure; afterwards whoever watches. */
  async #orClose<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (failure) {
      await this.#close(failure);
      throw failure;
    }
  }

  async #end(failure: unknown): Promise<void> {
    if (this.#state === 'ENDED') return;
    const stopped = failure === undefined || MillraceError.is(failure, 'CANCELLED');
    const error = stopped
      ? undefined
      : MillraceError.fromRecord(this.#mapError(MillraceError.toRecord(failure)));
    // Whoever watches is told by the event below, and shows it.
    if (error) this.#options.logger.info({ application: this.name, err: error }, 'application failed');
    await this.#close(error, () =>
      this.#options.event({ kind: 'ended', ...(error ? { error: MillraceError.toRecord(error) } : {}) }),
    );
  }

  async #close(failure: unknown, closed: () => void = () => undefined): Promise<void> {
    if (this.#state === 'ENDED') return;
    this.#move('ENDED');
    this.#drainTimer?.cancel();
    this.#dag?.cancelAll('the application ended');
    this.#log?.close();
    await this.#kafka.close(this.#options.clock, this.#options.logger);
    closed();
    this.#done.resolve(failure === undefined ? undefined : MillraceError.from(failure, 'INTERNAL'));
  }

  #move(to: ApplicationState): void {
    this.#state = transition(APPLICATION_TRANSITIONS, `application ${this.name}`, this.#state, to);
  }
}

function rangesOf(batch: PlannedBatch, inputId: number): PlannedBatch['inputs'][number]['ranges'] {
  return batch.inputs.find((input) => input.inputId === inputId)?.ranges ?? [];
}

/** The log has not gone on since it was read without holding an epoch. */
function sameEnd(a: LogState, b: LogState | undefined): boolean {
  return (
    b !== undefined && a.lastCommitted === b.lastCommitted && a.pending?.planHash === b.pending?.planHash
  );
}
