import {
  BatchRdds,
  type EvaluatedJob,
  encodeAccumulatorUpdates,
  type FunctionShipper,
  type JobOptions,
  type StreamGraph,
  StreamReach,
} from '@millrace/api/internal';
import {
  type Clock,
  crashPoint,
  type ErrorRecord,
  type Logger,
  MillraceError,
  problemsError,
  transition,
} from '@millrace/common';
import type { KafkaClient, KafkaOptions, TopicPartition } from '@millrace/kafka';
import type { ApplicationEvent } from '../application-events.ts';
import type { TaskBackend } from '../task-backend.ts';
import { applicationNotes } from './application-notes.ts';
import { APPLICATION_TRANSITIONS, type ApplicationState } from './application-state.ts';
import { BatchLoop } from './batch/batch-loop.ts';
import type { OpenInput } from './batch/batch-planner.ts';
import { pastBatches } from './batch/past-batches.ts';
import { OffsetCommits } from './commits/offset-commits.ts';
import { DagScheduler } from './dag/dag-scheduler.ts';
import { Drain } from './drain.ts';
import { openInputs } from './input/open-inputs.ts';
import { KafkaClients } from './kafka-clients.ts';
import { ApplicationLog, type LogClaim } from './log/application-log.ts';
import type { LogFiles } from './log/log-files.ts';
import { recoverLog } from './log/log-reader.ts';
import { EMPTY_LOG, type LogState } from './log/log-state.ts';
import { goneQueues, sameEnd } from './log-checks.ts';
import { ExactlyOnceOutputs } from './outputs/exactly-once-outputs.ts';
import { openStates } from './state/open-states.ts';
import type { StateFiles } from './state/state-files.ts';
import type { StateKeeper } from './state/state-keeper.ts';
import { stateProblems } from './state/state-problems.ts';
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
  /** Where keyed state is kept. Absent: nowhere; a job that has any is refused. See `applicationStateFiles`. */
  readonly stateFiles?: StateFiles;
  /** Whoever watches. The last event is 'ended'. */
  readonly event: (event: ApplicationEvent) => void;
  readonly ship: FunctionShipper;
  /** Moves the stack of an error to the user's sources. */
  readonly mapError?: (error: ErrorRecord) => ErrorRecord;
}

/** A host that takes longer to start is killed (jobStartTimeoutMs), and could not say why. */
const CLAIM_TIMEOUT_MS_MAX = 40_000;

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
  #states: StateKeeper | undefined;
  #commits: OffsetCommits | undefined;
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
    if (state) problems.push(...goneQueues(this.#graph, state));
    if (state)
      problems.push(
        ...stateProblems(this.#graph, state.state, this.#options.stateFiles, job.options.dropState),
      );
    if (state) problems.push(...(await this.#openInputs(this.#graph.inputs, state)));
    this.#draining.signal.throwIfAborted();
    const error = problemsError(problems);
    if (error || !state) throw error ?? new MillraceError('INTERNAL', 'the log was not read');
    this.#validated = state;
    this.#move('VALIDATED');
    return applicationNotes(this.#graph, this.#inputs, state);
  }

  async #start(claim: LogClaim | undefined): Promise<{ readonly epoch: number }> {
    const { job, logFiles, stateFiles, logger, backend, clock, programHash, ship, event } = this.#options;
    const { logSegmentBytes, logSegmentsRetained } = job.options;
    await logFiles.take?.();
    const log = ApplicationLog.open({
      files: logFiles,
      logger,
      segmentBytes: logSegmentBytes,
      segmentsRetained: logSegmentsRetained,
      historyMs: new StreamReach(this.#graph).horizonMs,
      ...(claim && { claim }),
    });
    this.#log = log;
    await log.settled();
    if (!sameEnd(log.state, this.#validated)) {
      const problems = stateProblems(this.#graph, log.state.state, stateFiles, job.options.dropState);
      const error = problemsError([...problems, ...(await this.#openInputs(this.#graph.inputs, log.state))]);
      this.#draining.signal.throwIfAborted();
      if (error) throw error;
    }
    const transactions = this.#exactlyOnceOutputs(log);
    crashPoint('before-claim');
    await transactions.claim(this.#draining.signal);
    const states = openStates({
      graph: this.#graph,
      dropped: job.options.dropState,
      files: stateFiles,
      log,
      logger,
      event,
    });
    this.#states = states;
    this.#dag = new DagScheduler({
      states,
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
    const commits = this.#offsetCommits(log, this.#dag);
    this.#commits = commits;
    job.context.internals.graph.committer = commits;
    job.context.internals.graph.transactions = transactions;
    this.#move('RUNNING');
    logger.info({ application: this.name, epoch: log.epoch }, 'application runs');
    const dag = this.#dag;
    // In a turn of its own: whoever called learns of the epoch before tasks of it are submitted.
    clock.schedule(0, () => {
      event({ kind: 'running', notes: applicationNotes(this.#graph, this.#inputs, log.state) });
      void this.#batchLoop(log, dag, commits, states)
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

  #exactlyOnceOutputs(log: ApplicationLog): ExactlyOnceOutputs {
    const { job, clock, programHash } = this.#options;
    return new ExactlyOnceOutputs({
      application: this.name,
      programHash,
      outputs: this.#graph.outputs.flatMap(({ exactlyOnce }) => exactlyOnce ?? []),
      log,
      kafka: (options) => this.#kafka.get(options),
      clock,
      taskTimeoutMs: job.options.taskTimeout,
      claimTimeoutMs: Math.min(CLAIM_TIMEOUT_MS_MAX, job.options.kafkaTimeout),
      cancelled: this.#cancelled.signal,
    });
  }

  #offsetCommits(log: ApplicationLog, dag: DagScheduler): OffsetCommits {
    const { clock, logger, event } = this.#options;
    return new OffsetCommits({
      clock,
      logger,
      inputs: this.#graph.inputs,
      kafka: (options) => this.#kafka.get(options),
      notice: (text) => event({ kind: 'notice', level: 'warn', text }),
      isBatchRunning: () => log.state.pending !== undefined,
      runsJobs: () => dag.runsJobs,
    });
  }

  #batchLoop(
    log: ApplicationLog,
    dag: DagScheduler,
    commits: OffsetCommits,
    states: StateKeeper | undefined,
  ): BatchLoop {
    const { job, clock, programHash, event } = this.#options;
    const history = pastBatches(log.state, this.#inputs);
    const rdds = new BatchRdds({ graph: this.#graph, runner: dag, history, program: programHash });
    job.context.internals.graph.rdds = rdds;
    return new BatchLoop({
      clock,
      programHash,
      batchIntervalMs: job.options.batchInterval,
      batches: job.options.batches,
      inputs: this.#inputs,
      stateful: [...this.#graph.stateful, ...this.#graph.inverseWindows],
      states,
      outputs: this.#graph.outputs,
      rdds,
      log,
      dag,
      committed: (batch) => commits.batchCommitted(batch),
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
      lost: ({ skips }, offsets) => {
        if (skips?.lost === undefined) return;
        const counted = encodeAccumulatorUpdates(new Map([[skips.lost, offsets]]));
        job.context.internals.accumulators.apply(counted);
      },
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
    this.#states?.close();
    await this.#commits?.close(failure);
    await this.#kafka.close(this.#options.clock, this.#options.logger);
    closed();
    this.#done.resolve(failure === undefined ? undefined : MillraceError.from(failure, 'INTERNAL'));
  }

  #move(to: ApplicationState): void {
    this.#state = transition(APPLICATION_TRANSITIONS, `application ${this.name}`, this.#state, to);
  }
}
