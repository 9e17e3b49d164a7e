import type { AccumulatorUpdates, TaskAccumulator, TaskContextData } from '@millrace/api/internal';
import type { Program } from '@millrace/closures';
import type { KafkaClient } from '@millrace/kafka';
import type { PipelineMessage, StageMessage } from '@millrace/proto/task';
import type { PipelineOutcome, PipelineRequest } from '../pipeline/index.ts';

/** The parts of the engine that a task uses, so that a slot can be run with others in tests. */
export interface TaskEngine {
  readonly openProgram: (dir: string) => Promise<Program>;
  readonly runPipeline: (request: PipelineRequest) => Promise<PipelineOutcome>;
  /** The rows of a pipeline that is merged with others. */
  readonly pipelineRows: (request: PipelineRequest) => AsyncIterable<unknown[]>;
  readonly mayReuseColumns: (pipeline: PipelineMessage, stage: StageMessage) => boolean;
  /** A client for the options of `KafkaSourceMessage.clientJson`. */
  readonly connectKafka: (options: unknown) => KafkaClient;
  readonly runWithTaskContext: <T>(data: TaskContextData, work: () => Promise<T>) => Promise<T>;
  /** What a lambda gets for an accumulator that it captured. */
  readonly accumulator: (
    id: string,
    updates: () => AccumulatorUpdates | undefined,
    custom?: unknown,
  ) => TaskAccumulator;
  readonly encodeAccumulators: (updates: AccumulatorUpdates) => Uint8Array;
}
