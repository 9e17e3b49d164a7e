import { MillraceError, unknownOption } from '@millrace/common';
import { callerPlace } from './place.ts';

/**
 * Jobs are submitted without a type check: what was meant for another engine's positional argument, as in sortByKey(false), must not pass for
 * the default. @throws MillraceError JOB_INVALID.
 */
export function checkOptions(operation: string, options: unknown, known: readonly string[]): void {
  const fail = (what: string): MillraceError =>
    new MillraceError('JOB_INVALID', `${operation}(): ${what}`, {
      remedy: `Its options are an object: { ${known.join(', ')} }.`,
      details: { place: callerPlace() },
    });
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw fail(`options cannot be ${Array.isArray(options) ? 'an array' : String(options)}`);
  for (const name of Object.keys(options)) if (!known.includes(name)) throw fail(unknownOption(name, known));
}

export const SORT_OPTIONS: readonly string[] = ['descending', 'partitions', 'compare'];
export const COALESCE_OPTIONS: readonly string[] = ['shuffle'];
export const QUEUE_OPTIONS: readonly string[] = ['oneAtATime', 'defaultRDD'];
