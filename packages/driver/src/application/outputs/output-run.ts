import type { JobOptions, OutputOperation, OutputRun } from '@millrace/api/internal';
import { crashPoint } from '@millrace/common';
import { type ProgramIdentity, programId } from '../../program-identity.ts';
import type { DagScheduler } from '../dag/dag-scheduler.ts';
import { beginsAnew, type LogState } from '../log/log-state.ts';
import { userError } from '../user-error.ts';

/** No batch has it: what a task of a claim says late is said to none. */
const CLAIM_TIME = 0;

/** What the outputs of a run are told of it. */
export function outputRunOf(
  state: LogState,
  program: ProgramIdentity,
  { taskTimeout }: Pick<JobOptions, 'taskTimeout'>,
): OutputRun {
  const { id = '', pending, lastCommitted } = state;
  return {
    program: programId(program),
    taskTimeoutMs: taskTimeout,
    log: id,
    isAnew: beginsAnew(state),
    ...(pending && { pendingBatch: pending.batchTime }),
    ...(lastCommitted !== undefined && { lastCommitted }),
  };
}

/** Outputs whose connections only executors have are taken over by a job each. @throws MillraceError what the first claim that failed threw. */
export async function claimOutputs(
  outputs: readonly OutputOperation[],
  dag: Pick<DagScheduler, 'beginBatch' | 'endBatch'>,
): Promise<void> {
  dag.beginBatch(CLAIM_TIME);
  await Promise.all(
    outputs.map(async ({ claim, name, to = name, place }) => {
      if (!claim) return;
      try {
        await claim();
      } catch (error) {
        throw userError(error, 'USER_CODE', name, {
          remedy: `Mend what ${name} at ${place} throws; nothing was planned.`,
          details: { output: to },
          place,
        });
      }
      crashPoint('between-claims');
    }),
  );
  dag.endBatch();
}
