import { ACTIONS, type AccumulatorUpdates, type ActionKind, encodeResult } from '@millrace/api/internal';
import { detach } from './detach.ts';
import type { PipelineOutcome, PipelineRequest } from './pipeline-request.ts';
import { PipelineRun } from './pipeline-run.ts';
import { taskError } from './task-error.ts';

export {
  mayReuseColumns,
  type PipelineInput,
  type PipelineOutcome,
  type PipelineRequest,
} from './pipeline-request.ts';

/**
 * Runs a fused pipeline over its input: source → element operators in one generated loop → partition operators → … → action.
 * @throws MillraceError USER_CODE with topic, partition and offset when a lambda throws; ELEMENT_PROMISE, VALUE_DECODE; what the source throws.
 */
export async function runPipeline(request: PipelineRequest): Promise<PipelineOutcome> {
  const run = new PipelineRun(request);
  try {
    const made =
      ACTIONS[request.stage.action.kind as ActionKind].form === 'shuffle'
        ? await run.stored()
        : { result: encodeResult(await run.result()) };
    settleAccumulators(request.task.accumulators);
    return { ...made, records: run.records };
  } catch (error) {
    throw taskError(error, request.range);
  } finally {
    await run.close();
  }
}

/** The rows that a pipeline makes, for one that merges it with others; without any action. @throws as runPipeline. */
export async function* pipelineRows(request: PipelineRequest): AsyncGenerator<unknown[], void, undefined> {
  const run = new PipelineRun(request);
  try {
    yield* run.rows();
  } catch (error) {
    throw taskError(error, request.range);
  } finally {
    await run.close();
  }
}

/** What collection accumulators were given leaves the task as rows do. */
function settleAccumulators(updates: AccumulatorUpdates): void {
  for (const [id, update] of updates) if (typeof update !== 'number') updates.set(id, detach(update));
}
