import type { DirectKafkaInput } from '@millrace/api/internal';
import type { ProgramIdentity } from '../../program-identity.ts';
import type { KafkaInput } from '../input/kafka-input.ts';
import { creditedMs, planOffsets } from '../input/offset-planner.ts';
import type { LoggedInput, PlannedBatch } from '../log/log-record.ts';
import type { Tick } from './batch-clock.ts';
import { planHashOf } from './plan-hash.ts';

/** What a batch will read, before it is in the log. */
export interface BatchPlan {
  readonly batch: Omit<PlannedBatch, 'epoch'>;
  /** Latest − until, over all partitions. */
  readonly lag: number;
}

export interface OpenInput {
  readonly input: DirectKafkaInput;
  readonly kafka: KafkaInput;
}

export interface BatchPlannerOptions {
  readonly inputs: readonly OpenInput[];
  readonly batchIntervalMs: number;
  readonly program: ProgramIdentity;
  /** See PlannedBatch. */
  readonly outputs: readonly string[];
}

/** Asks all inputs where they end, at the same time, and cuts their ranges. */
export async function planBatch(
  { inputs, batchIntervalMs, program, outputs }: BatchPlannerOptions,
  tick: Tick,
  number: number,
  signal: AbortSignal,
): Promise<BatchPlan> {
  const elapsedMs = creditedMs(tick.intervals, batchIntervalMs);
  let lag = 0;
  const polled = await Promise.all(inputs.map(({ kafka }) => kafka.poll(signal)));
  const logged = inputs.map(({ input }, index): LoggedInput => {
    const partitions = polled[index] ?? [];
    const { maxRatePerPartition, maxRecordsPerBatch, minRecordsPerPartitionPerBatch } = input.options;
    const limits = {
      maxRatePerPartition,
      maxRecordsPerBatch,
      minRecordsPerPartitionPerBatch,
      elapsedMs,
      number,
    };
    const ranges = planOffsets(partitions, limits);
    lag += sum(partitions.map(({ latest }) => latest)) - sum(ranges.map(({ untilOffset }) => untilOffset));
    return { inputId: input.inputId, ranges };
  });
  const { programHash, settings } = program;
  const planHash = planHashOf(program, logged);
  const { batchTime, intervals } = tick;
  return { batch: { batchTime, programHash, settings, planHash, outputs, intervals, inputs: logged }, lag };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
