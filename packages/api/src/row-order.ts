import { types } from 'node:util';
import { MillraceError } from '@millrace/common';

/**
 * The order of takeOrdered and sortBy (1), of top and a descending sortBy (−1): on executors and again on the driver, so both must agree.
 * Without `compare` the natural order of numbers, bigints, booleans, strings and Dates; NaN is the greatest number, as in Spark.
 * @throws MillraceError USER_CODE, when it is called: rows without a natural order, or a comparator that returns no number.
 */
export function rowOrder<T>(
  direction: number,
  compare: ((a: T, b: T) => number) | undefined,
): (a: T, b: T) => number {
  if (compare === undefined) return (a, b) => direction * naturalOrder(a, b);
  return (a, b) => {
    const order: unknown = compare(a, b);
    if (typeof order !== 'number') throw noNumber(order);
    return direction * order;
  };
}

function naturalOrder(a: unknown, b: unknown): number {
  const left = orderable(a);
  const right = orderable(b);
  // A number and a bigint compare by value; everything else only with its like.
  if (typeof left !== typeof right && (typeof left === 'string' || typeof right === 'string'))
    throw unordered(`a ${typeof left} and a ${typeof right}`);
  if (left < right) return -1;
  if (left > right) return 1;
  return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function orderable(value: unknown): number | bigint | string {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return Number(value);
  if (types.isDate(value)) return value.getTime();
  throw unordered(value === null || typeof value !== 'object' ? String(value) : value.constructor?.name);
}

function unordered(what: string | undefined): MillraceError {
  return new MillraceError(
    'USER_CODE',
    `sorting, top() and takeOrdered() know no order of ${what ?? 'objects'}`,
    {
      remedy: 'Give them a comparator: (a, b) => a.count - b.count.',
      retryable: false,
    },
  );
}

function noNumber(order: unknown): MillraceError {
  return new MillraceError('USER_CODE', `the comparator of an order returned ${typeof order}`, {
    remedy: 'Return a number: below 0 when a comes before b, above 0 when it comes after.',
    retryable: false,
  });
}
