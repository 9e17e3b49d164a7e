import { serialize } from 'node:v8';
import { MillraceError } from '@millrace/common';
import { checkPlainData } from './plain-data.ts';

/** A zero as it travels. `operation`: "fold and aggregate". @throws MillraceError JOB_INVALID when it is not plain data. */
export function plainZero(operation: string, zero: unknown): Uint8Array {
  return plainValue(`the zero value of ${operation}`, 'the zero value', zero);
}

/** A value as it travels. @throws MillraceError JOB_INVALID when it is not plain data. */
export function plainValue(what: string, path: string, value: unknown): Uint8Array {
  const problem = checkPlainData(value, path);
  if (problem !== undefined) throw new MillraceError('JOB_INVALID', `${what} must be plain data: ${problem}`);
  return serialize(value);
}
