import type {
  BatchInput,
  BatchRdds,
  InverseWindowNode,
  OutputOperation,
  StatefulStreamNode,
} from '@millrace/api/internal';
import { crashPoint } from '@millrace/common';
import type { BatchTotals, DagScheduler } from '../dag/dag-scheduler.ts';
import type { PlannedBatch } from '../log/log-record.ts';
import { userError } from '../user-error.ts';

export interface BatchRunOptions {
  /** Each is computed first, once, whatever the outputs ask for: the state moves on with the batch. */
  readonly stateful: readonly (StatefulStreamNode | InverseWindowNode)[];
  readonly outputs: readonly OutputOperation[];
  readonly rdds: BatchRdds;
  readonly dag: DagScheduler;
  readonly cancelled: AbortSignal;
}

/** A batch as its streams see it. `previous`: the batch time before. */
export function batchInput(
  { batchTime, inputs }: Pick<PlannedBatch, 'batchTime' | 'inputs'>,
  previous: number | undefined,
): BatchInput {
  const ranges = new Map(inputs.map((input) => [input.inputId, input.ranges]));
  return { time: batchTime, previous, ranges: (inputId) => ranges.get(inputId) ?? [] };
}

/**
 * Runs the output operations of one batch, in registration order. A batch without records runs, too; an output whose stream has no RDD in it does not.
 * @throws the first error of an output; the signal's reason when the batch is cancelled, whatever a driver lambda waits for.
 */
export async function runBatch(
  batch: BatchInput,
  { stateful, outputs, rdds, dag, cancelled }: BatchRunOptions,
): Promise<BatchTotals> {
  dag.beginBatch(batch.time);
  rdds.begin(batch);
  const abort = Promise.withResolvers<never>();
  abort.promise.catch(() => undefined);
  const onAbort = (): void => abort.reject(cancelled.reason as Error);
  cancelled.addEventListener('abort', onAbort, { once: true });
  try {
    for (const node of stateful) {
      cancelled.throwIfAborted();
      await Promise.race([updateState(node, rdds, dag), abort.promise]);
    }
    for (const output of outputs) {
      cancelled.throwIfAborted();
      await Promise.race([runOutput(output, batch.time, rdds, dag), abort.promise]);
      crashPoint('output-done');
    }
    return dag.endBatch();
  } finally {
    cancelled.removeEventListener('abort', onAbort);
  }
}

async function updateState(
  node: StatefulStreamNode | InverseWindowNode,
  rdds: BatchRdds,
  dag: DagScheduler,
): Promise<void> {
  const { place, operator } = node;
  try {
    const made = (await rdds.rdd(node))?.node;
    // Kept for windows, too: when it is read again, the state will have moved on.
    if (made?.kind === 'stateful' || made?.kind === 'persisted') await dag.store(made);
  } catch (error) {
    const what = `${operator.operation} "${operator.name}"`;
    throw userError(error, 'USER_CODE', what, {
      remedy: `Mend what ${what} at ${place} throws; the batch runs again, with the state before it, when the application starts.`,
      details: { operator: operator.name },
      place,
    });
  }
}

async function runOutput(
  output: OutputOperation,
  batchTime: number,
  rdds: BatchRdds,
  dag: DagScheduler,
): Promise<void> {
  try {
    const rdd = await rdds.rdd(output.node);
    if (rdd) await output.run(rdd, batchTime);
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
