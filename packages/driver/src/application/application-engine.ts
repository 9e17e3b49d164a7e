import type { EvaluatedJob, FunctionShipper, JobOptions, StreamGraph } from '@millrace/api/internal';
import {
  type Clock,
  type ErrorRecord,
  type Logger,
  MillraceError,
  problemsError,
  transition,
} from '@millrace/common';
import type { KafkaClient, KafkaOptions, TopicPartition } from '@millrace/kafka';
import type { ApplicationEvent } from '../application-events.ts';
import type { TaskBackend } from '../task-backend.ts';
import { APPLICATION_TRANSITIONS, type ApplicationState } from './application-state.ts';
import { BatchLoop } from './batch/batch-loop.ts';
import type { OpenInput } from './batch/batch-planner.ts';
import { DagScheduler } from './dag/dag-scheduler.ts';
import { Drain } from './drain.ts';
import { openInputs } from './input/open-inputs.ts';
import { KafkaClients } from './kafka-clients.ts';
import { ApplicationLog, type LogClaim } from './log/application-log.ts';
import type { LogFiles } from './log/log-files.ts';
import { recoverLog } from './log/log-reader.ts';
import { EMPTY_LOG, type LogState } from './log/log-state.ts';
import { userError } from './user-error.ts';

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
  /** Aborted: no further batch is planned. */
  readonly #draining = new AbortController();
  /** Aborted: the running batch ends, too. */
  readonly #cancelled = new AbortController();
  #drain: Drain | undefined;
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

  /** Never rejects: why the application failed (DRAIN_TIMEOUT: it was stopped with its batch unfinished), or undefined when it was stopped or reached its last batch. */
  get done(): Promise<MillraceError | undefined> {
    return this.#done.promise;
  }

  /**
   * Checks all that can be checked without running: lambdas, topics, start offsets, the log. Nothing is written.
   * `anew`: as if there were no log. Returns notes for whoever submitted the job.
   * @throws MillraceError the only problem, or JOB_INVALID listing all of them.
   */
  async validate({ anew }: Pick<LogClaim, 'anew'> = { anew: false }): Promise<readonly string[]> {
    return this.#orClose(() => this.#validate(anew));
  }

  /**
   * Takes the epoch and begins to run. Call `validate` before.
   * @throws MillraceError LOG_CORRUPT, LOG_WRITE_FAILED, FENCED; a problem of `validate` that has come up since.
   */
  async start(claim?: LogClaim): Promise<{ readonly epoch: number }> {
    return this.#orClose(() => this.#start(claim));
  }

  async #validate(anew: boolean): Promise<readonly string[]> {
    const { job, ship, logFiles } = this.#options;
    const problems = [...job.context.internals.graph.finish(ship)];
    let state: LogState | undefined;
    try {
      state = anew ? EMPTY_LOG : recoverLog(logFiles).state;
    } catch (error) {
      problems.push(MillraceError.from(error, 'LOG_CORRUPT'));
    }
    if (state) problems.push(...(await this.#openInputs(this.#graph.inputs, state)));
    this.#draining.signal.throwIfAborted();
    const error = problemsError(problems);
    if (error || !state) throw error ?? new MillraceError('INTERNAL', 'the log was not read');
    this.#validated = state;
    this.#move('VALIDATED');
    return this.#notes(state);
  }

  async #start(claim: LogClaim | undefined): Promise<{ readonly epoch: number }> {
    const { job, logFiles, logger, backend, clock, programHash, ship, event } = this.#options;
    const { logSegmentBytes, logSegmentsRetained } = job.options;
    const log = ApplicationLog.open({
      files: logFiles,
      logger,
      segmentBytes: logSegmentBytes,
      segmentsRetained: logSegmentsRetained,
      ...(claim && { claim }),
    });
    this.#log = log;
    if (!sameEnd(log.state, this.#validated)) {
      const error = problemsError(await this.#openInputs(this.#graph.inputs, log.state));
      this.#draining.signal.throwIfAborted();
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
      takeAccumulatorChanges: () => job.context.internals.accumulators.takeChanges(),
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
      void this.#batchLoop(log, dag)
        .run()
        .then(
          () => this.#end(undefined),
          (failure: unknown) => this.#end(failure),
        );
    });
    return { epoch: log.epoch };
  }

  /** drain: the running batch is the last. now: it is cancelled, and runs again at the next start. Idempotent; see `done`. */
  stop({ mode }: { readonly mode: 'drain' | 'now' }): void {
    if (this.#state === 'RUNNING') {
      this.#move('DRAINING');
      this.#drain = new Drain({
        clock: this.#options.clock,
        isStalled: () => this.#dag?.isStalled === true,
        cancel: (why) => this.#cancel(why),
      });
    }
    this.#draining.abort(new MillraceError('CANCELLED', 'the application was stopped'));
    if (mode === 'now') this.#cancel(new MillraceError('CANCELLED', 'the application was stopped'));
    if (this.#state === 'CREATED' || this.#state === 'VALIDATED') void this.#end(undefined);
  }

  /** Something broke outside of a batch's own promises (an uncaught exception): the application fails with it. */
  fail(error: unknown): void {
    this.#cancelled.abort(
      userError(error, 'USER_CODE', 'a callback of the job', { remedy: 'Catch it where it is thrown.' }),
    );
    this.#draining.abort(this.#cancelled.signal.reason);
    this.#dag?.cancelAll('the application failed');
    if (this.#state === 'CREATED' || this.#state === 'VALIDATED') void this.#end(error);
  }

  #cancel(why: MillraceError): void {
    this.#cancelled.abort(why);
    this.#dag?.cancelAll(why.what);
  }

  #batchLoop(log: ApplicationLog, dag: DagScheduler): BatchLoop {
    const { job, clock, programHash, event } = this.#options;
    return new BatchLoop({
      clock,
      programHash,
      batchIntervalMs: job.options.batchInterval,
      batches: job.options.batches,
      inputs: this.#inputs,
      outputs: this.#graph.outputs,
      log,
      dag,
      draining: this.#draining.signal,
      cancelled: this.#cancelled.signal,
      event,
      mapError: this.#mapError,
    });
  }

  /** Makes the inputs stand where the log ends. Returns all problems. */
  async #openInputs(inputs: StreamGraph['inputs'], state: LogState): Promise<readonly MillraceError[]> {
    const { clock, logger, job, event } = this.#options;
    const opened = await openInputs(inputs, state, {
      kafka: ({ options }) => this.#kafka.get(options.client),
      clock,
      logger,
      notice: (level, text) => event({ kind: 'notice', level, text }),
      kafkaTimeoutMs: job.options.kafkaTimeout,
      signal: this.#draining.signal,
    });
    this.#inputs = opened.inputs;
    return opened.problems;
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
    if (error) this.#options.logger.info({ application: this.name, err: error }, 'application ended early');
    await this.#close(error, () =>
      this.#options.event({ kind: 'ended', ...(error ? { error: MillraceError.toRecord(error) } : {}) }),
    );
  }

  async #close(failure: unknown, closed: () => void = () => undefined): Promise<void> {
    if (this.#state === 'ENDED') return;
    this.#move('ENDED');
    this.#drain?.end();
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

/** The log has not gone on since it was read without holding an epoch. */
function sameEnd(a: LogState, b: LogState | undefined): boolean {
  return (
    b !== undefined && a.lastCommitted === b.lastCommitted && a.pending?.planHash === b.pending?.planHash
  );
}
