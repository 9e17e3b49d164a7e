import { type Clock, silentLogger } from '@millrace/common';
import type { ApplicationEvent } from '../../application-events.ts';
import type { TaskSet } from '../../task-backend.ts';
import { DagScheduler } from '../dag/dag-scheduler.ts';
import type { StateFiles } from '../state/state-files.ts';
import type { StateKeeper } from '../state/state-keeper.ts';
import { FakeBackend } from './fake-backend.ts';
import { shipNothing } from './run-engine.ts';

export interface DagBench<C extends Clock> {
  readonly clock: C;
  readonly backend: FakeBackend;
  readonly events: readonly ApplicationEvent[];
  /** First byte of all accumulator updates that were applied. */
  readonly applied: readonly number[];
  readonly dag: DagScheduler;
  /** A task set that was submitted. */
  readonly set: (index?: number) => TaskSet;
}

/** A scheduler in its batch 100, over a backend whose events the test plays. */
export function dagBench<C extends Clock>(
  clock: C,
  {
    backend = new FakeBackend('manual'),
    apply,
    checkpointFiles,
    states,
  }: {
    readonly backend?: FakeBackend;
    readonly apply?: ((updates: Uint8Array) => void) | undefined;
    readonly checkpointFiles?: StateFiles | undefined;
    readonly states?: StateKeeper | undefined;
  } = {},
): DagBench<C> {
  const events: ApplicationEvent[] = [];
  const applied: number[] = [];
  const dag = new DagScheduler({
    backend,
    checkpointFiles,
    states,
    clock,
    logger: silentLogger,
    application: 'a',
    epoch: 4,
    programHash: 'p',
    job: {
      batchInterval: 100,
      taskAttemptsMax: 4,
      taskTimeout: 1_000,
      kafkaTimeout: 600_000,
      localityWait: undefined,
      actionResultBytesMax: 10,
    },
    ship: shipNothing,
    kafka: () => {
      throw new Error('not asked');
    },
    leaderHost: () => '',
    applyAccumulators: apply ?? ((updates) => applied.push(updates[0] ?? 0)),
    takeAccumulatorChanges: () => [],
    mapError: (error) => ({ ...error, stack: 'job.ts:1:1' }),
    event: (event) => events.push(event),
  });
  dag.beginBatch(100);
  const set = (index = 0): TaskSet => {
    const found = backend.sets[index];
    if (!found) throw new Error(`no task set ${index}`);
    return found;
  };
  return { clock, backend, events, applied, dag, set };
}
