import { type JobOptions, type StreamGraph, StreamReach } from '@millrace/api/internal';
import type { ErrorRecord } from '@millrace/common';
import { MillraceError, problemsError, transition } from '@millrace/common';
import type { ProgramIdentity } from '../program-identity.ts';
import type { ApplicationEngineOptions } from './application-engine-options.ts';
import { applicationNotes } from './application-notes.ts';
import { ApplicationRun } from './application-run.ts';
import { APPLICATION_TRANSITIONS, type ApplicationState } from './application-state.ts';
import { Drain } from './drain.ts';
import { ApplicationInputs } from './input/application-inputs.ts';
import { startNotes } from './input/start-notes.ts';
import { KafkaClients } from './kafka-clients.ts';
import { ApplicationLog, type LogClaim } from './log/application-log.ts';
import { recoverLog } from './log/log-reader.ts';
import { beginsAnew, EMPTY_LOG, isUnbegun, type LogState } from './log/log-state.ts';
import type { LoggedSums } from './log/logged-sums.ts';
import { goneQueues, sameEnd } from './log-checks.ts';
import { claimedOutputs } from './outputs/claimed-outputs.ts';
import { outputTopicProblems } from './outputs/output-topics.ts';
import { stateProblems } from './state/state-problems.ts';
import { userError } from './user-error.ts';

export interface EngineStarted {
  readonly epoch: number;
  /** Of what earlier runs have committed. */
  readonly sums: LoggedSums;
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
  readonly #inputs: ApplicationInputs;
  #validated: LogState | undefined;
  #log: ApplicationLog | undefined;
  #run: ApplicationRun | undefined;
  #state: ApplicationState = 'CREATED';
  /** Aborted: no further batch is planned. */
  readonly #draining = new AbortController();
  /** Aborted: the running batch ends, too. */
  readonly #cancelled = new AbortController();
  #drain: Drain | undefined;
  readonly #done = Promise.withResolvers<MillraceError | undefined>();
  readonly #notice = (level: 'info' | 'warn', text: string): void =>
    this.#options.event({ kind: 'notice', level, text });

  constructor(options: ApplicationEngineOptions) {
    this.#options = options;
    this.#graph = options.job.context.internals.graph.graph;
    this.#kafka = new KafkaClients(options.connectKafka);
    this.#mapError = options.mapError ?? ((error) => error);
    this.#inputs = new ApplicationInputs({ ...options, kafka: this.#kafka });
  }

  get name(): string {
    return this.options.name;
  }

  get options(): JobOptions {
    return this.#options.job.options;
  }

  get #program(): ProgramIdentity {
    const { programHash, settings = '' } = this.#options;
    return { programHash, settings };
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
  async start(claim?: LogClaim): Promise<EngineStarted> {
    return this.#orClose(() => this.#start(claim));
  }

  async #validate(anew: boolean): Promise<readonly string[]> {
    const { job, ship, logFiles } = this.#options;
    const problems = [...job.context.internals.graph.finish(ship)];
    let state: LogState | undefined;
    try {
      state = anew ? { ...EMPTY_LOG, isAnew: true } : recoverLog(logFiles).state;
    } catch (error) {
      problems.push(MillraceError.from(error, 'LOG_CORRUPT'));
    }
    if (state) problems.push(...(await this.#problems(state)));
    this.#draining.signal.throwIfAborted();
    const error = problemsError(problems);
    if (error || !state) throw error ?? new MillraceError('INTERNAL', 'the log was not read');
    this.#validated = state;
    this.#move('VALIDATED');
    return this.#notes(state);
  }

  #notes(state: LogState): readonly string[] {
    const { current } = this.#inputs;
    const notes = applicationNotes(this.#graph, this.options, current, state);
    return [...notes, ...startNotes(current, beginsAnew(state))];
  }

  /** What keeps the job from going on where the log ends. */
  async #problems(state: LogState): Promise<readonly MillraceError[]> {
    const { job, stateFiles, clock, logger } = this.#options;
    const { signal } = this.#draining;
    const asked = await Promise.all([
      this.#inputs.open(state, signal),
      outputTopicProblems(this.#graph.outputs, {
        kafka: (client) => this.#kafka.get(client),
        clock,
        logger,
        notice: this.#notice,
        isLenient: !isUnbegun(state),
        signal,
      }),
    ]);
    return [
      ...goneQueues(this.#graph, state),
      ...stateProblems(this.#graph, state.state, stateFiles, job.options.dropState),
      ...asked.flat(),
    ];
  }

  async #start(claim: LogClaim | undefined): Promise<EngineStarted> {
    const { logger } = this.#options;
    const reach = new StreamReach(this.#graph);
    const log = await this.#openLog(reach, claim);
    const { sums } = log.state;
    const parts = {
      ...this.#options,
      program: this.#program,
      log,
      inputs: this.#inputs,
      reach,
      kafka: this.#kafka,
      notice: this.#notice,
      mapError: this.#mapError,
      draining: this.#draining.signal,
      cancelled: this.#cancelled.signal,
    };
    const transactions = await claimedOutputs(parts);
    this.#draining.signal.throwIfAborted();
    // From here on without a pause: what is made is closed by whoever stops it.
    const run = new ApplicationRun({ ...parts, transactions });
    this.#run = run;
    this.#move('RUNNING');
    logger.info({ application: this.name, epoch: log.epoch }, 'application runs');
    // In a turn of its own: whoever called learns of the epoch before tasks of it are submitted.
    this.#options.clock.schedule(0, () => this.#begin(run, log.state));
    return { epoch: log.epoch, sums };
  }

  /** Takes the epoch; what the log says may have changed since `validate`. */
  async #openLog(reach: StreamReach, claim: LogClaim | undefined): Promise<ApplicationLog> {
    const { job, logFiles, logger } = this.#options;
    const { logSegmentBytes, logSegmentsRetained } = job.options;
    await logFiles.take?.();
    // Whoever stops it meanwhile has closed what there was by then.
    this.#draining.signal.throwIfAborted();
    const log = ApplicationLog.open({
      files: logFiles,
      logger,
      segmentBytes: logSegmentBytes,
      segmentsRetained: logSegmentsRetained,
      historyMs: reach.horizonMs,
      ...(claim && { claim }),
    });
    this.#log = log;
    await log.settled();
    this.#draining.signal.throwIfAborted();
    if (sameEnd(log.state, this.#validated)) return log;
    const error = problemsError(await this.#problems(log.state));
    this.#draining.signal.throwIfAborted();
    if (error) throw error;
    return log;
  }

  #begin(run: ApplicationRun, state: LogState): void {
    const { onlyPending, event } = this.#options;
    const notes = onlyPending ? [] : this.#notes(state);
    event({ kind: 'running', notes });
    run.run().then(
      () => this.#end(undefined),
      (failure: unknown) => this.#end(failure),
    );
  }

  /** drain: the running batch is the last. now: it is cancelled, and runs again at the next start. Idempotent; see `done`. */
  stop({ mode }: { readonly mode: 'drain' | 'now' }): void {
    if (this.#state === 'RUNNING') {
      this.#move('DRAINING');
      this.#drain = new Drain({
        clock: this.#options.clock,
        isStalled: () => this.#run?.dag.isStalled === true,
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
    this.#run?.dag.cancelAll('the application failed');
    if (this.#state === 'CREATED' || this.#state === 'VALIDATED') void this.#end(error);
  }

  #cancel(why: MillraceError): void {
    this.#cancelled.abort(why);
    this.#run?.dag.cancelAll(why.what);
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
    this.#run?.dag.cancelAll('the application ended');
    this.#log?.close();
    await this.#run?.close(failure);
    await this.#kafka.close(this.#options.clock, this.#options.logger);
    closed();
    this.#done.resolve(failure === undefined ? undefined : MillraceError.from(failure, 'INTERNAL'));
  }

  #move(to: ApplicationState): void {
    this.#state = transition(APPLICATION_TRANSITIONS, `application ${this.name}`, this.#state, to);
  }
}
