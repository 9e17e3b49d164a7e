import { stackPlace } from '@millrace/api/internal';
import { MillraceError, messageOf, stackOf } from '@millrace/common';
import type { OffsetRange, RecordColumns } from '@millrace/kafka';

/** Where a loop was when it threw. */
export interface RowPosition {
  readonly columns: RecordColumns | undefined;
  readonly at: number;
}

/** Characters of a message that travel: some libraries quote the whole input. */
const MESSAGE_MAX = 4_000;

/**
 * What a task fails with when a lambda throws: USER_CODE with topic, partition, the offset when it is known, and the place and stack of
 * what was thrown. Our own errors pass, with the offset.
 */
export function taskError(
  thrown: unknown,
  range: OffsetRange | undefined,
  position?: RowPosition,
): MillraceError {
  const offset = position?.columns?.offset[position.at];
  if (MillraceError.is(thrown)) return offset === undefined ? thrown : atOffset(thrown, offset);
  const where =
    offset === undefined
      ? range && ` in [${range.fromOffset}, ${range.untilOffset}) of ${range.topic}-${range.partition}`
      : ` at offset ${offset} of ${position?.columns?.topic}-${position?.columns?.partition}`;
  const frames = framesOf(thrown);
  const place = stackPlace(frames);
  const error = new MillraceError(
    'USER_CODE',
    `a function of the job threw${where ?? ''}: ${shown(thrown)}`,
    {
      ...(messageOf(thrown).length > MESSAGE_MAX ? {} : { cause: thrown }),
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
        // The driver moves it, and the stack, to the user's sources.
        ...(place === '' ? {} : { place }),
      },
    },
  );
  if (frames !== '') error.stack = `${error.name}: ${error.message}\n${frames}`;
  return error;
}

function shown(thrown: unknown): string {
  const message = messageOf(thrown);
  const text = message.length > MESSAGE_MAX ? `${message.slice(0, MESSAGE_MAX)}…` : message;
  const name = (thrown as { name?: unknown } | null | undefined)?.name;
  return typeof name === 'string' ? `${name}: ${text}` : text;
}

/** The lines of a stack below its message. */
function framesOf(thrown: unknown): string {
  const lines = stackOf(thrown).split('\n');
  return lines.filter((line) => /^\s+at /.test(line)).join('\n');
}

function atOffset(error: MillraceError, offset: number): MillraceError {
  const record = MillraceError.toRecord(error);
  return MillraceError.fromRecord({ ...record, details: { offset, ...record.details } });
}
