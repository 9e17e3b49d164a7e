import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { errorJson, recordJson, renderError } from './error-report.ts';
import { createTerminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const stream = { write: () => true };
const terminal = createTerminal(stream, stream, { NO_COLOR: '1' });
const render = (error: unknown, verbose = false): string => renderError(error, terminal, { verbose });

describe('an error as people read it', () => {
  it('says what, code, remedy and place, and its causes', () => {
    const error = new MillraceError('USER_CODE', 'the task failed', {
      remedy: 'Mend the lambda.',
      details: { topic: 'views', partition: 3, file: 'a b.ts' },
      cause: new MillraceError('VALUE_DECODE', 'no JSON', { details: { offset: 41 } }),
    });
    expect(render(error)).toBe(
      [
        'error: the task failed [USER_CODE]',
        '  Mend the lambda.',
        '  topic=views partition=3 file="a b.ts"',
        '  because: no JSON [VALUE_DECODE]',
        '  offset=41',
        '',
      ].join('\n'),
    );
  });

  it('puts the code on the first of several lines', () => {
    expect(render(new MillraceError('JOB_INVALID', 'two problems\na\nb'))).toBe(
      'error: two problems [JOB_INVALID]\n  a\n  b\n',
    );
  });

  it('names the place unless the text does, and no cause that it has told', () => {
    const cause = new MillraceError('INTERNAL', 'Unexpected token');
    const error = new MillraceError('JOB_INVALID', 'no: Unexpected token', {
      details: { place: 'a.ts:1:2' },
      cause,
    });
    expect(render(error)).toBe('error: no: Unexpected token [JOB_INVALID]\n  at a.ts:1:2\n');
    const told = new MillraceError('JOB_INVALID', 'a.ts:1:2 is wrong', {
      details: { place: 'a.ts:1:2', problems: 2 },
    });
    expect(render(told)).toBe('error: a.ts:1:2 is wrong [JOB_INVALID]\n');
  });

  it('shows no stack unless verbose, and asks for it when it is a bug', () => {
    expect(render(new TypeError('oops'))).toBe(
      'error: oops\n  This is a bug of Millrace: run again with --verbose for the stack, and report it.\n',
    );
    expect(render(new TypeError('oops'), true)).toMatch(/TypeError: oops\n +at /);
  });

  it('lists every problem of a wrong usage', () => {
    expect(render(new UsageError(['--a: x', '--b: y']))).toBe('error: --a: x\nerror: --b: y\n');
  });

  it('is data for --json, with its stack and its causes', () => {
    const cause = new RangeError('too far');
    const error = new MillraceError('FENCED', 'x', { details: { epoch: 2 }, cause });
    expect(errorJson(error)).toEqual({
      code: 'FENCED',
      what: 'x',
      remedy: '',
      retryable: false,
      details: { epoch: 2 },
      stack: error.stack,
      cause: expect.objectContaining({ code: 'INTERNAL', what: 'too far', stack: cause.stack }),
    });
    expect(errorJson(new UsageError(['--a: x']))).toEqual({
      code: 'USAGE',
      what: '--a: x',
      problems: ['--a: x'],
    });
  });

  it('has no stack as data when none came with it', () => {
    const record = { ...MillraceError.toRecord(new MillraceError('FENCED', 'x')), stack: '' };
    expect(recordJson(record)).not.toHaveProperty('stack');
  });
});
