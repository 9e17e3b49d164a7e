import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from './error-codes.ts';
import { MillraceError } from './millrace-error.ts';

describe('MillraceError', () => {
  it('reads what, remedy and code', () => {
    const error = new MillraceError(
      'OFFSET_OUT_OF_RANGE',
      'Offset 41 of orders-3 is below the log start 90',
      {
        remedy: "Raise the topic's retention.",
        details: { topic: 'orders', partition: 3, offset: 41 },
      },
    );
    expect(error.message).toBe(
      "Offset 41 of orders-3 is below the log start 90. Raise the topic's retention. [OFFSET_OUT_OF_RANGE]",
    );
    expect(error.domain).toBe('external');
  });

  it.each(Object.keys(ERROR_CODES) as ErrorCode[])(
    'keeps %s, its details and its causes across a process boundary',
    (code) => {
      const cause = new MillraceError('SLOT_LOST', 'inner', { details: { n: 1 }, cause: new Error('root') });
      const error = new MillraceError(code, 'outer', {
        remedy: 'Do it.',
        retryable: true,
        details: { a: 'ü', b: true },
        cause,
      });
      const back = MillraceError.fromRecord(JSON.parse(JSON.stringify(MillraceError.toRecord(error))));
      expect(MillraceError.toRecord(back)).toEqual(MillraceError.toRecord(error));
      expect(MillraceError.is(back, code)).toBe(true);
    },
  );

  it('becomes a record of bounded size, whatever it quotes, and the same one the next time', () => {
    const huge = 'x'.repeat(1_000_000);
    const error = new MillraceError('USER_CODE', huge, { remedy: huge, cause: new Error(huge) });
    const record = MillraceError.toRecord(error);
    expect(JSON.stringify(record).length).toBeLessThan(400_000);
    expect(record.what).toMatch(/^xxx.*… \(1000000 characters\)$/);
    expect(MillraceError.toRecord(MillraceError.fromRecord(record))).toEqual(record);
  });

  it('names a code that it does not know', () => {
    const record = {
      ...MillraceError.toRecord(new MillraceError('INTERNAL', 'x')),
      code: 'FROM_THE_FUTURE' as ErrorCode,
    };
    expect(MillraceError.fromRecord(record)).toMatchObject({
      code: 'INTERNAL',
      what: 'x (unknown code FROM_THE_FUTURE)',
    });
  });

  it('ends a chain of causes', () => {
    let error: Error = new Error('0');
    for (let depth = 0; depth < 100; depth++)
      error = new MillraceError('INTERNAL', 'again', { cause: error });
    expect(JSON.stringify(MillraceError.toRecord(error)).length).toBeLessThan(20_000);
  });

  it('makes an error of anything that was thrown', () => {
    expect(MillraceError.from('text', 'USER_CODE').message).toBe('text [USER_CODE]');
    expect(MillraceError.from(undefined, 'USER_CODE').what).toBe('undefined');
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(MillraceError.from(circular, 'USER_CODE').what).toBe('[object Object]');
  });
});
