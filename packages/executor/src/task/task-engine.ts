import { encodeAccumulatorUpdates, runWithTaskContext, taskAccumulator } from '@millrace/api/internal';
import { openProgram } from '@millrace/closures';
import { connectKafka, type KafkaOptions } from '@millrace/kafka';
import { mayReuseColumns, pipelineRows, runPipeline } from '../pipeline/index.ts';
import type { TaskEngine } from './engine-ports.ts';

/** The engine as slots have it. */
export function taskEngine(): TaskEngine {
  return {
    openProgram,
    runPipeline,
    pipelineRows,
    mayReuseColumns,
    // The host resolved and checked the options.
    connectKafka: (options) => connectKafka(options as KafkaOptions),
    runWithTaskContext,
    accumulator: taskAccumulator,
    encodeAccumulators: encodeAccumulatorUpdates,
  };
}
