import { MillraceError } from '@millrace/common';
import { callerPlace } from './place.ts';

// The numbers of operators and actions, checked alike for streams and for RDDs. See OperatorCall.numbers.

const CONCURRENCY_DEFAULT = 16;
const CONCURRENCY_MAX = 10_000;

/** @throws MillraceError JOB_INVALID. */
export function mapAsyncNumbers(options: { readonly concurrency?: number }): readonly number[] {
  const { concurrency = CONCURRENCY_DEFAULT } = options;
  const ok = Number.isSafeInteger(concurrency) && concurrency >= 1 && concurrency <= CONCURRENCY_MAX;
  check(ok, 'mapAsync: concurrency', concurrency, `Give an integer in [1, ${CONCURRENCY_MAX}].`);
  return [concurrency];
}

/** @throws MillraceError JOB_INVALID. */
export function sampleNumbers(withReplacement: boolean, fraction: number, seed: number): readonly number[] {
  const ok = Number.isFinite(fraction) && fraction >= 0 && (withReplacement || fraction <= 1);
  check(ok, 'sample: fraction', fraction, 'Give a number in [0, 1]; above 1 only with replacement.');
  check(Number.isSafeInteger(seed), 'sample: seed', seed, 'Give an integer.');
  return [withReplacement ? 1 : 0, fraction, seed];
}

/** Those of a sample, with another seed. */
export function seeded(
  [withReplacement = 0, fraction = 0]: readonly number[],
  seed: number,
): readonly number[] {
  return [withReplacement, fraction, seed];
}

/** How many rows are wanted. @throws MillraceError JOB_INVALID. */
export function rowCount(operation: string, n: number): number {
  check(Number.isSafeInteger(n) && n >= 0, `${operation}: n`, n, 'Give an integer ≥ 0.');
  return n;
}

function check(ok: boolean, name: string, value: number, remedy: string): void {
  if (ok) return;
  throw new MillraceError('JOB_INVALID', `${name} cannot be ${value}`, {
    remedy,
    details: { place: callerPlace() },
  });
}
