import {
  ConsumerStrategies,
  defineJob,
  type JobConfig,
  LocationStrategies,
  type StreamingContext,
} from '@millrace/api';
import { encodeResult, evaluateJob, type ShippedFunction } from '@millrace/api/internal';
import { type Clock, silentLogger } from '@millrace/common';
import { decodeStage, decodeTask, type RangeMessage } from '@millrace/proto/task';
import type { ApplicationEvent } from '../../application-events.ts';
import type { TaskDescription, TaskSet } from '../../task-backend.ts';
import { ApplicationEngine } from '../application-engine.ts';
import type { LogFiles } from '../log/log-files.ts';
import { FakeBackend, type TaskOutcome } from './fake-backend.ts';
import type { FakeKafka } from './fake-kafka.ts';

/** The range that a task reads. */
export function rangeOfTask(task: TaskDescription): RangeMessage | undefined {
  const { input } = decodeTask(task.task);
  return input.kind === 'range' ? input.range : undefined;
}

/** Counts, as an executor would: the offsets of the range. */
export function countTask(set: TaskSet, task: TaskDescription): TaskOutcome {
  const range = rangeOfTask(task);
  const records = range ? range.untilOffset - range.fromOffset : 0;
  const { kind } = decodeStage(set.stage).action;
  return { records, result: encodeResult(kind === 'count' ? records : kind === 'foreach' ? undefined : []) };
}

/** A lambda is not looked at: nothing runs it. */
export function shipNothing(_: Function, where: string): ShippedFunction {
  return { hash: `hash of ${where}`, bytes: new Uint8Array(3), place: 'job.ts:1:1', broadcastIds: [] };
}

export interface EngineSetup {
  readonly clock: Clock;
  readonly kafka: FakeKafka;
  readonly files: LogFiles;
  readonly build: (ssc: StreamingContext) => void;
  readonly config?: Partial<JobConfig>;
  readonly perform?: ConstructorParameters<typeof FakeBackend>[0];
  readonly programHash?: string;
  readonly settings?: string;
  readonly onlyPending?: boolean;
}

export interface RunningEngine {
  readonly engine: ApplicationEngine;
  readonly backend: FakeBackend;
  readonly events: ApplicationEvent[];
}

/** An engine without processes, executors or disk. */
export async function createEngine(setup: EngineSetup): Promise<RunningEngine> {
  const definition = defineJob({ name: 'test', batchInterval: 100, ...setup.config }, setup.build);
  const backend = new FakeBackend(setup.perform ?? countTask);
  const events: ApplicationEvent[] = [];
  const engine = new ApplicationEngine({
    job: await evaluateJob(definition),
    programHash: setup.programHash ?? 'program',
    settings: setup.settings ?? '',
    onlyPending: setup.onlyPending ?? false,
    backend,
    clock: setup.clock,
    logger: silentLogger,
    connectKafka: () => setup.kafka,
    logFiles: setup.files,
    event: (event) => events.push(event),
    ship: shipNothing,
  });
  return { engine, backend, events };
}

/** A stream over `topic` with small batches. */
export function stream(ssc: StreamingContext, topic: string, options: Record<string, unknown> = {}) {
  return ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(topic, {
      brokers: 'fake:1',
      groupId: 'g',
      startFrom: 'earliest',
      ...options,
    }),
  );
}
