import { types } from 'node:util';
import { MillraceError } from '@millrace/common';

/**
 * A text that is equal for equal keys: sorted fields, −0 = 0, one NaN, 1 ≠ 1n ≠ '1'.
 * Keys are strings, numbers, bigints, booleans, null, undefined, Dates, bytes, and arrays and plain objects of these.
 * @throws MillraceError USER_CODE for anything else: it would never combine.
 */
export function canonicalKey(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `s${value.length}:${value}`;
    case 'number':
      return `n${value === 0 ? '0' : `${value}`};`;
    case 'bigint':
      return `i${value};`;
    case 'boolean':
      return value ? 't' : 'f';
    case 'undefined':
      return 'u';
    case 'object':
      return value === null ? 'z' : objectKey(value);
    default:
      throw unusable(typeof value);
  }
}

function objectKey(value: object): string {
  if (Array.isArray(value))
    return `[${value.length};${Array.from(value, (item) => canonicalKey(item)).join('')}`;
  if (types.isDate(value)) return `d${value.getTime()};`;
  if (types.isUint8Array(value)) {
    return `b${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')};`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
    throw unusable(value.constructor?.name ?? 'object');
  const fields = Object.keys(value).toSorted();
  const record = value as Readonly<Record<string, unknown>>;
  return `{${fields.length};${fields.map((field) => canonicalKey(field) + canonicalKey(record[field])).join('')}`;
}

function unusable(what: string): MillraceError {
  return new MillraceError('USER_CODE', `a ${what} cannot be a key`, {
    remedy:
      'Use strings, numbers, bigints, booleans, null, Dates, bytes, or arrays and plain objects of these.',
    retryable: false,
  });
}
