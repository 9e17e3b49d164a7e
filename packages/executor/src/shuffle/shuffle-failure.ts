import { checkPlainData } from '@millrace/api/internal';
import { type ErrorDetails, MillraceError, messageOf, placed } from '@millrace/common';

/** Bytes that are not what was written: torn, flipped, of another file. The map task that wrote them has to run again. */
export function corruptBlock(why: string, details: ErrorDetails, cause?: unknown): MillraceError {
  return new MillraceError('BLOCK_CORRUPT', `a block of a shuffle is damaged: ${why}`, {
    remedy: 'Check the disk that holds the work directory of the executor.',
    details,
    ...(cause === undefined ? {} : { cause }),
  });
}

export function missingBlock(block: string, cause?: unknown): MillraceError {
  return new MillraceError('BLOCK_MISSING', `block ${block} is not here (any more)`, {
    details: { blockId: block },
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Map output that cannot be read, whatever it was: those map tasks have to run again. `details` name the executor that held it; `missing` is
 * added when it is only gone there.
 */
export function fetchFailed(details: ErrorDetails, cause: unknown): MillraceError {
  const { mapPartition, shuffle, executorId } = details;
  return new MillraceError(
    'FETCH_FAILED',
    `map output ${mapPartition} of ${shuffle} could not be read from executor ${executorId}: ${messageOf(cause)}`,
    {
      remedy:
        'Its map tasks run again. When it lasts, look at that executor: its process, its disk, and whether others reach its block port.',
      details: { ...details, ...(MillraceError.is(cause, 'BLOCK_MISSING') && { missing: true }) },
      cause,
    },
  );
}

/** What a read of a shuffle file failed with, as the reader's error: the file is gone, or its disk does not give it back. */
export function readFailure(error: unknown, path: string): MillraceError {
  if (MillraceError.is(error)) return error;
  if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') return missingBlock(path, error);
  return corruptBlock(`it cannot be read: ${messageOf(error)}`, { path }, error);
}

/** What a write of a shuffle or spill file failed with. */
export function writeFailure(error: unknown, path: string): MillraceError {
  return MillraceError.from(error, 'SHUFFLE_DISK', {
    remedy: 'Free space in the work directory of the executor, or give it one on a larger disk.',
    details: { path },
  });
}

export function overDiskBound(bytes: number, bytesMax: number, path: string): MillraceError {
  return new MillraceError('SHUFFLE_DISK', `${bytes} bytes of shuffle data exceed the bound of ${bytesMax}`, {
    remedy: 'Filter or aggregate before the shuffle, or raise the bound.',
    details: { bytes, bytesMax, path },
  });
}

/** A key or value that cannot leave its task, with the path to the culprit. `thrown`: what refused it. */
export function notMovable(what: string, value: unknown, thrown: unknown, place: string): MillraceError {
  const error = new MillraceError(
    'USER_CODE',
    `${what} cannot be moved to another task: ${whyNotMovable(value, thrown)}`,
    {
      remedy:
        'Map rows to plain objects, arrays and primitives before they are grouped, joined or repartitioned.',
      retryable: false,
      ...(MillraceError.is(thrown) ? {} : { cause: thrown }),
    },
  );
  return placed(error, place);
}

function whyNotMovable(value: unknown, thrown: unknown): string {
  const known = MillraceError.is(thrown) ? thrown.what : messageOf(thrown);
  try {
    return checkPlainData(value) ?? known;
  } catch {
    // Nested too deeply for a walk, or a getter that throws.
    return known;
  }
}
