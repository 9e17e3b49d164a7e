import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { userError } from './user-error.ts';

const FRAMES = '\n    at check (file:///programs/p/driver.mjs:7:9)\n    at node:internal/timers:1:1';

function thrown(error: Error): Error {
  error.stack = `${error.name}: ${error.message}${FRAMES}`;
  return error;
}

const ours = (error: unknown, place = ''): MillraceError =>
  userError(error, 'USER_CODE', 'foreachRDD', { remedy: 'Mend it.', place });

/** What an error and its causes say. */
function chain(error: unknown): string[] {
  return MillraceError.is(error) ? [error.what, ...chain(error.cause)] : [];
}

describe('an error of the job', () => {
  it('keeps its class, its stack and its place', () => {
    const error = ours(thrown(new TypeError('no such field')));
    expect(error).toMatchObject({
      what: 'foreachRDD threw TypeError: no such field',
      details: { place: 'file:///programs/p/driver.mjs:7:9' },
    });
    expect(error.stack).toContain('at check (file:///programs/p/driver.mjs:7:9)');
  });

  it('keeps its causes with theirs, also those of several errors at once', () => {
    const inner = thrown(new RangeError('inner'));
    const all = thrown(new AggregateError([thrown(new Error('middle', { cause: inner }))], 'all failed'));
    const error = ours(all);
    expect(chain(error)).toEqual([
      'foreachRDD threw AggregateError: all failed',
      'Error: middle',
      'RangeError: inner',
    ]);
    expect(error.cause).toMatchObject({ details: { place: 'file:///programs/p/driver.mjs:7:9' } });
    expect(chain(MillraceError.fromRecord(MillraceError.toRecord(error)))).toEqual(chain(error));
  });

  it('ends a chain that is long, or leads back to itself', () => {
    const loop = new Error('loop');
    loop.cause = new Error('and', { cause: loop });
    expect(chain(ours(loop))).toEqual(['foreachRDD threw Error: loop', 'Error: and']);
    let long = new Error('0');
    for (let depth = 1; depth < 100; depth++) long = new Error(`${depth}`, { cause: long });
    expect(chain(ours(long))).toHaveLength(6);
  });

  it('is named by what ran when it is no error', () => {
    expect(ours('only a text', 'job.ts:3:5')).toMatchObject({
      what: 'foreachRDD threw only a text',
      details: { place: 'job.ts:3:5' },
    });
    expect(ours(undefined).what).toContain('undefined');
    expect(ours(Object.create(null)).code).toBe('USER_CODE');
  });

  it('stays what it is when it is one of ours, with the place of a wrong call', () => {
    const wrong = thrown(new MillraceError('JOB_INVALID', 'an operator was added late'));
    expect(ours(wrong)).toMatchObject({
      what: 'an operator was added late',
      details: { place: 'file:///programs/p/driver.mjs:7:9' },
    });
    const lost = thrown(new MillraceError('EXECUTOR_LOST', 'gone'));
    expect(ours(lost)).toBe(lost);
  });

  it('quotes no more than a part of a long message', () => {
    const error = ours(new Error('x'.repeat(5_000_000)));
    expect(error.what.length).toBeLessThan(5_000);
    expect((error.stack ?? '').length).toBeLessThan(10_000);
  });
});
