import { BatchRdds, type OutputOperation } from '@millrace/api/internal';
import type { BatchTotals, DagScheduler } from '../dag/dag-scheduler.ts';
import type { PlannedBatch } from '../log/log-record.ts';
import { userError } from '../user-error.ts';

/**
 * Runs the output operations of one batch, in registration order. A batch without records runs, too.
 * @throws the first error of an output; the signal's reason when the batch is cancelled, whatever a driver lambda waits for.
 */
export async function runBatch(
  batch: PlannedBatch,
  outputs: readonly OutputOperation[],
  dag: DagScheduler,
  cancelled: AbortSignal,
): Promise<BatchTotals> {
  const ranges = new Map(batch.inputs.map((input) => [input.inputId, input.ranges]));
  dag.beginBatch(batch.batchTime);
  const rdds = new BatchRdds({ time: batch.batchTime, ranges: (inputId) => ranges.get(inputId) ?? [] }, dag);
  const abort = Promise.withResolvers<never>();
  abort.promise.catch(() => undefined);
  const onAbort = (): void => abort.reject(cancelled.reason as Error);
  cancelled.addEventListener('abort', onAbort, { once: true });
  try {
    for (const output of outputs) {
      cancelled.throwIfAborted();
      await Promise.race([runOutput(output, batch.batchTime, rdds, dag), abort.promise]);
    }
    return dag.endBatch();
  } finally {
    cancelled.removeEventListener('abort', onAbort);
  }
}

async function runOutput(
  output: OutputOperation,
  batchTime: number,
  rdds: BatchRdds,
  dag: DagScheduler,
): Promise<void> {
  try {
    await output.run(await rdds.rdd(output.node), batchTime);
  } catch (error) {
    const { name, place } = output;
    throw userError(error, 'USER_CODE', name, {
      remedy: `Mend what ${name} at ${place} throws; the batch runs again when the application starts.`,
      details: { output: name, batchTime },
      place,
    });
  }
  await dag.settled();
}
