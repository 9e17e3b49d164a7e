import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { type ErrorCode, MillraceError } from '@millrace/common';
import type { TaskDescription, TaskPreference, TaskSet } from '../../task-backend.ts';
import type { AttemptOutcome, SchedulerEffect, SchedulerEvent } from '../scheduler-messages.ts';
import { TaskSchedulerCore } from '../task-scheduler-core.ts';

const METRICS = { records: 0, bytes: 0, queueMs: 0, runMs: 0, fetchMs: 0, consumerCached: false };
const NONE = new Uint8Array();
export type Launch = Extract<SchedulerEffect, { kind: 'launch' }>;

export const failure = (code: ErrorCode, retryable?: boolean): AttemptOutcome => ({
  kind: 'failure',
  error: MillraceError.toRecord(
    new MillraceError(code, 'it broke', retryable === undefined ? {} : { retryable }),
  ),
});
export const success: AttemptOutcome = { kind: 'result', result: new Uint8Array([7]) };
export const consistent = (partition: number): TaskPreference => ({
  kind: 'consistent',
  key: `views-${partition}`,
  affinity: `views-${partition}`,
});
export const anywhere = (): TaskPreference => ({ kind: 'any' });

export function taskSet(
  partitions: number,
  options: Partial<TaskSet> & {
    readonly batchTime?: number;
    readonly epoch?: number;
    readonly prefer?: (partition: number) => TaskPreference;
  } = {},
): TaskSet {
  const { batchTime = 1000, epoch = 1, prefer = anywhere, ...rest } = options;
  const tasks = Array.from(
    { length: partitions },
    (_, partition): TaskDescription => ({
      partition,
      preference: prefer(partition),
      task: NONE,
      span: 0,
      describes: `views-${partition}`,
    }),
  );
  return {
    key: { application: 'app', epoch, batchTime, jobId: 0, stageId: 0 },
    programHash: 'p',
    stage: NONE,
    tasks,
    attemptsMax: 4,
    taskTimeoutMs: 60_000,
    kafkaTimeoutMs: 600_000,
    localityWaitMs: 1000,
    ...rest,
  };
}

/** A core with a hand-moved time that keeps what runs and what was reported. */
export class SchedulerBench {
  readonly core = new TaskSchedulerCore();
  now = 0;
  readonly running: Launch[] = [];
  readonly effects: SchedulerEffect[] = [];

  do(event: SchedulerEvent): readonly SchedulerEffect[] {
    const effects = this.core.handle(event, this.now);
    for (const effect of effects) if (effect.kind === 'launch') this.running.push(effect);
    this.effects.push(...effects);
    return effects;
  }
  executor(executorId: string, slots: number, host = 'h'): void {
    this.do({ kind: 'executor-joined', executorId, host });
    this.do({ kind: 'slots-ready', executorId, ready: Array.from({ length: slots }, (_, index) => index) });
  }
  lose(executorId: string, code: ErrorCode = 'EXECUTOR_LOST'): readonly SchedulerEffect[] {
    const lost = this.running.filter((launch) => launch.executorId === executorId);
    for (const launch of lost) this.running.splice(this.running.indexOf(launch), 1);
    return this.do({
      kind: 'executor-lost',
      executorId,
      error: MillraceError.toRecord(new MillraceError(code, 'gone')),
    });
  }
  end(launch: Launch | undefined, outcome: AttemptOutcome = success, runMs = 0): readonly SchedulerEffect[] {
    if (!launch) throw new Error('nothing was launched');
    this.running.splice(this.running.indexOf(launch), 1);
    return this.do(ended(launch, outcome, runMs));
  }
  endAll(): void {
    while (this.running.length > 0) this.end(this.running[0]);
  }
  reports(kind: string): unknown[] {
    return this.effects.flatMap((effect) =>
      effect.kind === 'report' && effect.event.kind === kind ? [effect.event] : [],
    );
  }
  assertIdle(): void {
    deepStrictEqual(this.core.counts, { sets: 0, waiting: 0, running: 0 });
    strictEqual(this.core.wakeAt(this.now), Number.POSITIVE_INFINITY);
  }
}

export function ended(launch: Launch, outcome: AttemptOutcome, runMs = 0): SchedulerEvent {
  const { executorId, slot, key } = launch;
  return {
    kind: 'attempt-ended',
    end: {
      executorId,
      blockAddress: `${executorId}:1`,
      slot,
      key,
      outcome,
      accumulators: NONE,
      metrics: { ...METRICS, runMs },
    },
  };
}
export const launches = (effects: readonly SchedulerEffect[]): Launch[] =>
  effects.filter((effect) => effect.kind === 'launch');
