import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { readableError } from './readable-error.ts';

describe('an error that leaves an embedded application', () => {
  it('is printed with its remedy, its place and the frames of the program, and nothing twice', () => {
    const error = new MillraceError('UNKNOWN_TOPIC', 'The topic "x" does not exist', {
      remedy: 'Create it.',
      details: { topics: 'x', place: 'job.ts:1:2' },
    });
    const ours = new URL('embedded-application.ts', import.meta.url).href;
    error.stack = `MillraceError: …\n    at f (${ours}:1:2)\n    at g (file:///job.ts:1:2)\n    at h (node:internal/x:1:2)`;
    expect(inspect(readableError(error))).toBe(
      [
        'MillraceError: The topic "x" does not exist [UNKNOWN_TOPIC]',
        '  Create it.',
        '  at job.ts:1:2',
        '    at g (file:///job.ts:1:2) {',
        "  code: 'UNKNOWN_TOPIC',",
        "  details: { topics: 'x', place: 'job.ts:1:2' }",
        '}',
      ].join('\n'),
    );
    expect(error).toMatchObject({
      what: 'The topic "x" does not exist',
      remedy: 'Create it.',
      retryable: false,
    });
  });

  it('has causes without their fields', () => {
    const cause = MillraceError.fromRecord(MillraceError.toRecord(new RangeError('too far')));
    cause.stack = 'RangeError: too far\n    at f (file:///job.ts:1:2)';
    const error = readableError(new MillraceError('USER_CODE', 'it threw', { cause })) as MillraceError;
    expect(inspect(error.cause)).toBe('RangeError: too far\n    at f (file:///job.ts:1:2)');
  });

  it('keeps the stack of a bug of Millrace, and what is no error of Millrace', () => {
    const bug = new MillraceError('INTERNAL', 'a bug');
    const { stack } = bug;
    expect(readableError(bug)).toBe(bug);
    expect(bug.stack).toBe(stack);
    expect(readableError('text')).toBe('text');
  });
});
