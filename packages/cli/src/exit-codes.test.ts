import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, type ErrorCode, MillraceError } from '@millrace/common';
import { EXIT, EXIT_CODES_HELP, EXIT_OF_ERROR, exitCodeOf, jobFailureExitCode } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

describe('exit codes', () => {
  it('has one for every error code and none besides', () => {
    expect(Object.keys(EXIT_OF_ERROR).toSorted()).toEqual(Object.keys(ERROR_CODES).toSorted());
  });

  it.each<[unknown, number]>([
    [new UsageError(['x']), 2],
    [new MillraceError('CLOSURE_CAPTURE', 'x'), 3],
    [new MillraceError('TYPE_CHECK_FAILED', 'x'), 3],
    [new MillraceError('DRIVER_UNREACHABLE', 'x'), 4],
    [new MillraceError('UNAUTHENTICATED', 'x'), 5],
    [new MillraceError('APPLICATION_EXISTS', 'x'), 6],
    [new MillraceError('FENCED', 'x'), 6],
    [new MillraceError('OFFSET_OUT_OF_RANGE', 'x'), 7],
    [new MillraceError('DEADLINE_EXCEEDED', 'x'), 8],
    [new TypeError('x'), 1],
  ])('maps %s to %i', (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });

  it.each<[ErrorCode, number]>([
    ['USER_CODE', 1],
    ['KAFKA_UNREACHABLE', 1],
    ['DEADLINE_EXCEEDED', 1],
    ['LOG_TRUNCATED', 7],
    ['FENCED', 6],
    // Not 3: it had passed its checks.
    ['BAD_REQUEST', 1],
    ['CLOSURE_CAPTURE', 1],
    ['UNKNOWN_TOPIC', 1],
    ['OFFSET_RANGE_INVALID', 1],
  ])('ends a job that failed with %s in %i', (code, exitCode) => {
    expect(jobFailureExitCode(new MillraceError(code, 'x'))).toBe(exitCode);
  });

  it.each<[string | number, number]>([
    [6, 6],
    [4, 4],
    [0, 1],
    [77, 1],
    ['?', 1],
  ])('ends as a child command that ended in %s: in %i', (exitCode, expected) => {
    expect(exitCodeOf(new MillraceError('PROCESS_ENDED', 'x', { details: { exitCode } }))).toBe(expected);
  });

  it('lists every one in the help', () => {
    for (const code of Object.values(EXIT))
      expect(EXIT_CODES_HELP).toMatch(new RegExp(`^ +${code}  \\S`, 'm'));
  });
});
