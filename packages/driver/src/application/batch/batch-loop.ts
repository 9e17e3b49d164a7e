import type { BatchRdds, OutputOperation } from '@millrace/api/internal';
import { type Clock, crashPoint, type ErrorRecord, MillraceError } from '@millrace/common';
import { offsetSpan } from '@millrace/kafka';
import type { ApplicationEvent } from '../../application-events.ts';
import { isPlannedBy, type ProgramIdentity } from '../../program-identity.ts';
import type { ExpectedRange } from '../../task-backend.ts';
import type { DagScheduler } from '../dag/dag-scheduler.ts';
import { consumerAffinity } from '../dag/task-preference.ts';
import { streamError } from '../input/start-positions.ts';
import type { ApplicationLog } from '../log/application-log.ts';
import type { PlannedBatch } from '../log/log-record.ts';
import { begunOutputs } from '../log/log-state.ts';
import { type LeftOutCounts, leftOutOf } from '../log/logged-sums.ts';
import { claimOutputs } from '../outputs/output-run.ts';
import type { StateKeeper } from '../state/state-keeper.ts';
import { BatchClock, type Tick } from './batch-clock.ts';
import { type OpenInput, planBatch } from './batch-planner.ts';
import { type BatchRunOptions, batchInput, runBatch } from './batch-run.ts';
import { MissedWindows } from './missed-windows.ts';
import { incompleteWindows, windowsOverState } from './past-batches.ts';
import { logSkipped } from './skipped-offsets.ts';

export interface BatchLoopOptions {
  readonly clock: Clock;
  readonly program: ProgramIdentity;
  readonly batchIntervalMs: number;
  /** Ends after so many completed batches; undefined: never. */
  readonly batches: number | undefined;
  readonly inputs: readonly OpenInput[];
  readonly stateful: BatchRunOptions['stateful'];
  /** Absent: no operator keeps state. */
  readonly states: StateKeeper | undefined;
  readonly outputs: readonly OutputOperation[];
  /** What the log knows those of them by that are written in transactions. */
  readonly exactlyOnce: readonly string[];
  readonly rdds: BatchRdds;
  readonly log: ApplicationLog;
  readonly dag: DagScheduler;
  /** Aborted: no further batch is planned. */
  readonly draining: AbortSignal;
  /** Aborted: the running batch ends, too. */
  readonly cancelled: AbortSignal;
  /** The batch is in the log, all of its outputs done. */
  readonly committed: (batch: PlannedBatch) => void;
  readonly event: (event: ApplicationEvent) => void;
  readonly mapError: (error: ErrorRecord) => ErrorRecord;
}

/** When the batch was due, and what is not in the log about it. */
type BatchTiming = Pick<Tick, 'coalesced' | 'dueAt'> & { readonly lag: number };

/** Beats, plans, logs, runs and commits batches, one after the other; first of all the one that the log holds without its commit. */
export class BatchLoop {
  readonly #options: BatchLoopOptions;
  readonly #missed: MissedWindows;
  #completed = 0;

  constructor(options: BatchLoopOptions) {
    this.#options = options;
    this.#missed = new MissedWindows(options.clock, options.rdds.reach, (text) => this.#warn(text));
  }

  /** Resolves when no further batch is wanted. @throws why a batch failed, or why it was cancelled. */
  async run(): Promise<void> {
    const { clock, batchIntervalMs, batches, log, draining, cancelled } = this.#options;
    const { pending, lastCommitted } = log.state;
    const last = pending?.batchTime ?? lastCommitted;
    const batchClock = new BatchClock({ clock, intervalMs: batchIntervalMs, last });
    const incomplete = incompleteWindows(log.state, this.#options.rdds.reach);
    if (incomplete !== undefined) this.#warn(incomplete);
    const overState = windowsOverState(log.state, this.#options.rdds.reach);
    if (overState !== undefined) this.#warn(overState);
    if (this.#options.outputs.some(({ claim }) => claim)) await this.#claimOutputs(pending !== undefined);
    if (pending) {
      this.#announceRerun(pending);
      await this.#runBatch(pending, { coalesced: 0, dueAt: clock.monotonic(), lag: 0 });
    }
    while (!draining.aborted && this.#completed < (batches ?? Number.POSITIVE_INFINITY)) {
      const next = await this.#plan(batchClock);
      if (next) await this.#runBatch(next.planned, next.timing);
    }
    cancelled.throwIfAborted();
  }

  /** `forBatch`: one is to be finished with them, also when no further one is wanted. */
  async #claimOutputs(forBatch: boolean): Promise<void> {
    const { outputs, dag, draining, cancelled } = this.#options;
    if (draining.aborted && !forBatch) return;
    const leave = (): void => dag.cancelAll('the application was stopped');
    if (!forBatch) draining.addEventListener('abort', leave, { once: true });
    try {
      await claimOutputs(outputs, dag);
      await this.#logOutputs();
    } catch (error) {
      // What a job says that was cancelled is not why.
      cancelled.throwIfAborted();
      if (forBatch || !draining.aborted) throw error;
    } finally {
      draining.removeEventListener('abort', leave);
    }
  }

  /** Before a batch may be written to them: another program is not to finish it without. */
  async #logOutputs(): Promise<void> {
    const { outputs, log } = this.#options;
    for (const { loggedAs } of outputs) {
      const { state } = log;
      const isKnown = state.pending ? begunOutputs(state) : state.outputs;
      if (loggedAs !== undefined && !isKnown.has(loggedAs)) log.output(loggedAs, 1);
    }
    await log.settled();
  }

  /** Undefined: no further batch is wanted. */
  async #plan(
    batchClock: BatchClock,
  ): Promise<{ readonly planned: PlannedBatch; readonly timing: BatchTiming } | undefined> {
    const { inputs, batchIntervalMs, program, exactlyOnce, log, draining } = this.#options;
    try {
      const tick = await batchClock.next(draining);
      const plan = { inputs, batchIntervalMs, program, outputs: exactlyOnce };
      const { batch, lag } = await planBatch(plan, tick, this.#completed + 1, draining);
      this.#missed.count(tick);
      return { planned: { ...batch, epoch: log.epoch }, timing: { ...tick, lag } };
    } catch (error) {
      if (draining.aborted) return undefined;
      throw error;
    }
  }

  /** Log, run, commit. */
  async #runBatch(batch: PlannedBatch, timing: BatchTiming): Promise<void> {
    const { clock, event, log, dag, inputs, stateful, states, outputs, rdds, cancelled, mapError } =
      this.#options;
    const { batchTime } = batch;
    const seen = batchInput(batch, log.state.lastCommitted);
    const begunAt = clock.monotonic();
    try {
      if (log.state.pending?.batchTime !== batchTime) {
        // Fetching is not running: the records may be on their way while the plan is made durable.
        const read = rdds.reach.inputsOf(seen);
        dag.prefetch(
          expectedRanges(
            batch,
            inputs.filter(({ input }) => read.has(input.inputId)),
          ),
        );
        logSkipped(this.#options);
        crashPoint('before-plan');
        log.plan(batch);
        await log.settled();
        crashPoint('after-plan');
        for (const { input, kafka } of inputs) kafka.advance(rangesOf(batch, input.inputId));
      }
      const totals = await runBatch(seen, { stateful, outputs, rdds, dag, cancelled });
      // Durable before it is named.
      const changes = await states?.seal();
      const metrics = {
        records: totals.records,
        tasks: totals.tasks,
        processingMs: clock.monotonic() - begunAt,
        ...counted(leftOutOf(totals.accumulators)),
      };
      crashPoint('before-commit');
      log.commit(batchTime, metrics, changes);
      await log.settled();
      crashPoint('after-commit');
      states?.committed(log.state.state);
      rdds.end();
      this.#options.committed(batch);
      const processingMs = clock.monotonic() - begunAt;
      const schedulingMs = Math.max(0, begunAt - timing.dueAt);
      this.#completed += 1;
      event({
        kind: 'batch-completed',
        batch: {
          number: this.#completed,
          batchTime,
          ...totals,
          span: spanOf(batch),
          lag: timing.lag,
          schedulingMs,
          processingMs,
          totalMs: schedulingMs + processingMs,
          coalescedIntervals: timing.coalesced,
          batchIntervalMs: this.#options.batchIntervalMs,
        },
      });
    } catch (thrown) {
      const error = streamError(thrown, rangesOfAll(batch));
      // A batch that was cancelled did not fail: it runs again at the next start.
      if (!MillraceError.is(error, 'CANCELLED') && !MillraceError.is(error, 'DRAIN_TIMEOUT'))
        event({ kind: 'batch-failed', batchTime, error: mapError(MillraceError.toRecord(error)) });
      throw error;
    }
  }

  #announceRerun(pending: PlannedBatch): void {
    const { event, program } = this.#options;
    const batch = `batch ${new Date(pending.batchTime).toISOString()}`;
    const text = `${batch} was planned and not committed: it runs again with the same offsets`;
    event({ kind: 'notice', level: 'info', text });
    if (isPlannedBy(pending, program)) return;
    this.#warn(`${batch} was planned with another program, or other settings: it runs with the new ones`);
  }

  #warn(text: string): void {
    this.#options.event({ kind: 'notice', level: 'warn', text });
  }
}

/** Most batches leave nothing out: then the log does not tell of it. */
function counted(leftOut: LeftOutCounts): Partial<LeftOutCounts> {
  return Object.fromEntries(Object.entries(leftOut).filter(([, count]) => count > 0));
}

function rangesOf(batch: PlannedBatch, inputId: number): PlannedBatch['inputs'][number]['ranges'] {
  return batch.inputs.find((input) => input.inputId === inputId)?.ranges ?? [];
}

function rangesOfAll({ inputs }: PlannedBatch): PlannedBatch['inputs'][number]['ranges'] {
  return inputs.flatMap(({ ranges }) => ranges);
}

function expectedRanges(batch: PlannedBatch, inputs: readonly OpenInput[]): readonly ExpectedRange[] {
  return inputs.flatMap(({ input }) =>
    rangesOf(batch, input.inputId)
      .filter((range) => offsetSpan(range) > 0)
      .map((range) => ({ affinity: consumerAffinity(input.options, range), range })),
  );
}

function spanOf(batch: PlannedBatch): number {
  return rangesOfAll(batch).reduce((sum, range) => sum + offsetSpan(range), 0);
}
