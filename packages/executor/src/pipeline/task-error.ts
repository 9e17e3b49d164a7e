import { MillraceError, messageOf } from '@millrace/common';
import type { OffsetRange, RecordColumns } from '@millrace/kafka';

/** Where a loop was when it threw. */
export interface RowPosition {
  readonly columns: RecordColumns | undefined;
  readonly at: number;
}

/**
 * What a task fails with when a lambda throws: USER_CODE with topic, partition, and the offset when it is known. Our own errors pass.
 */
export function taskError(
  thrown: unknown,
  range: OffsetRange | undefined,
  position?: RowPosition,
): MillraceError {
  if (MillraceError.is(thrown)) return thrown;
  const offset = position?.columns?.offset[position.at];
  const where =
    offset === undefined
      ? range && ` in [${range.fromOffset}, ${range.untilOffset}) of ${range.topic}-${range.partition}`
      : ` at offset ${offset} of ${position?.columns?.topic}-${position?.columns?.partition}`;
  const name = (thrown as { name?: unknown } | null)?.name;
  const shown = typeof name === 'string' ? `${name}: ${messageOf(thrown)}` : messageOf(thrown);
  return new MillraceError('USER_CODE', `a function of the job threw${where ?? ''}: ${shown}`, {
    cause: thrown,
    remedy: 'Mend the function, or filter such records before it.',
    details: {
      ...(range
        ? {
            topic: range.topic,
            partition: range.partition,
            fromOffset: range.fromOffset,
            untilOffset: range.untilOffset,
          }
        : {}),
      ...(offset === undefined ? {} : { offset }),
    },
  });
}
