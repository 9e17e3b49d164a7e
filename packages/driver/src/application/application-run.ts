import { BatchRdds, type StreamReach } from '@millrace/api/internal';
import type { ErrorRecord } from '@millrace/common';
import { type ProgramIdentity, programId } from '../program-identity.ts';
import type { ApplicationEngineOptions } from './application-engine-options.ts';
import { BatchLoop } from './batch/batch-loop.ts';
import { pastBatches } from './batch/past-batches.ts';
import { OffsetCommits } from './commits/offset-commits.ts';
import { DagScheduler } from './dag/dag-scheduler.ts';
import type { ApplicationInputs } from './input/application-inputs.ts';
import type { KafkaClients } from './kafka-clients.ts';
import type { ApplicationLog } from './log/application-log.ts';
import type { ExactlyOnceOutputs } from './outputs/exactly-once-outputs.ts';
import { loggedOutputs } from './outputs/output-prefix.ts';
import { outputRunOf } from './outputs/output-run.ts';
import { openStates } from './state/open-states.ts';
import type { StateKeeper } from './state/state-keeper.ts';

type FromEngine = 'job' | 'onlyPending' | 'backend' | 'clock' | 'logger' | 'stateFiles' | 'event' | 'ship';

export interface ApplicationRunOptions extends Pick<ApplicationEngineOptions, FromEngine> {
  readonly program: ProgramIdentity;
  /** Held. */
  readonly log: ApplicationLog;
  /** They stand where the log ends. */
  readonly inputs: ApplicationInputs;
  readonly reach: StreamReach;
  /** Claimed. */
  readonly transactions: ExactlyOnceOutputs;
  readonly kafka: KafkaClients;
  readonly mapError: (error: ErrorRecord) => ErrorRecord;
  /** Aborted: no further batch is planned. */
  readonly draining: AbortSignal;
  /** Aborted: the running batch ends, too. */
  readonly cancelled: AbortSignal;
}

/** What runs the batches of an application that holds its log: state, jobs, outputs, offsets; made together, closed together. */
export class ApplicationRun {
  readonly dag: DagScheduler;
  readonly #options: ApplicationRunOptions;
  readonly #states: StateKeeper | undefined;
  readonly #commits: OffsetCommits;

  /** Makes the job's context run. @throws MillraceError STATE_CORRUPT, VERSION_MISMATCH. */
  constructor(options: ApplicationRunOptions) {
    this.#options = options;
    const { job, log, program } = options;
    this.#states = openStates({
      graph: job.context.internals.graph.graph,
      reach: options.reach,
      dropped: job.options.dropState,
      files: options.stateFiles,
      log,
      logger: options.logger,
      event: options.event,
    });
    this.dag = this.#dagScheduler();
    job.context.internals.attach(this.dag);
    this.#commits = this.#offsetCommits();
    const { graph } = job.context.internals;
    graph.committer = this.#commits;
    graph.transactions = options.transactions;
    graph.outputRun = () => outputRunOf(log.state, program, job.options);
  }

  /** Resolves when no further batch is wanted. Call it once. @throws why a batch failed, or why it was cancelled. */
  run(): Promise<void> {
    return this.#batchLoop().run();
  }

  /** Flushes offsets, 5 s at most. `failure`: why the application ended. */
  async close(failure: unknown): Promise<void> {
    this.#states?.close();
    await this.#commits.close(failure);
  }

  #dagScheduler(): DagScheduler {
    const { job, stateFiles, backend, clock, logger, log, program, ship, inputs, kafka, mapError, event } =
      this.#options;
    const { accumulators } = job.context.internals;
    return new DagScheduler({
      states: this.#states,
      checkpointFiles: stateFiles,
      backend,
      clock,
      logger,
      application: job.options.name,
      epoch: log.epoch,
      programHash: program.programHash,
      job: job.options,
      ship,
      kafka: (options) => kafka.get(options),
      leaderHost: (tp) => inputs.leaderHost(tp),
      applyAccumulators: (updates) => accumulators.apply(updates),
      takeAccumulatorChanges: () => accumulators.takeChanges(),
      mapError,
      event,
    });
  }

  #offsetCommits(): OffsetCommits {
    const { job, clock, logger, event, kafka, log } = this.#options;
    return new OffsetCommits({
      clock,
      logger,
      inputs: job.context.internals.graph.graph.inputs,
      kafka: (options) => kafka.get(options),
      notice: (text) => event({ kind: 'notice', level: 'warn', text }),
      isBatchRunning: () => log.state.pending !== undefined,
      runsJobs: () => this.dag.runsJobs,
    });
  }

  #batchLoop(): BatchLoop {
    const { job, clock, program, onlyPending, log, inputs, draining, cancelled, event, mapError } =
      this.#options;
    const { internals } = job.context;
    const { graph } = internals.graph;
    const rdds = new BatchRdds({
      graph,
      runner: this.dag,
      history: pastBatches(log.state, inputs.current),
      program: programId(program),
    });
    internals.graph.rdds = rdds;
    return new BatchLoop({
      clock,
      program,
      batchIntervalMs: job.options.batchInterval,
      batches: onlyPending ? 0 : job.options.batches,
      inputs: inputs.current,
      stateful: [...graph.stateful, ...graph.inverseWindows],
      states: this.#states,
      outputs: graph.outputs,
      exactlyOnce: loggedOutputs(graph.outputs, job.options.name),
      rdds,
      log,
      dag: this.dag,
      committed: (batch) => this.#commits.batchCommitted(batch),
      draining,
      cancelled,
      event,
      mapError,
    });
  }
}
