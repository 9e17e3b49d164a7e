import { isDeepStrictEqual } from 'node:util';
import type { StreamGraph } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { isUnbegun, type LogState } from './log/log-state.ts';

/** What queues held is not in the log. */
export function goneQueues({ queues }: StreamGraph, state: LogState): readonly MillraceError[] {
  if (isUnbegun(state)) return [];
  return queues.map(
    ({ place }) =>
      new MillraceError(
        'JOB_INVALID',
        'a job with a queueStream() cannot go on: what its queue held is gone',
        {
          remedy:
            'Submit with --start-anew: the application begins again, without the past of its other streams. For a job that must survive, put the data in Kafka.',
          details: { place },
        },
      ),
  );
}

/** The log has not gone on since it was read without holding an epoch. */
export function sameEnd(a: LogState, b: LogState | undefined): boolean {
  return (
    b !== undefined &&
    a.lastCommitted === b.lastCommitted &&
    a.pending?.planHash === b.pending?.planHash &&
    // Offsets may have been set, with nothing pending.
    isDeepStrictEqual(a.positions, b.positions)
  );
}
