import { afterEach, describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.ts';

describe('the level of a logger', () => {
  const before = process.env['MILLRACE_LOG_LEVEL'];
  afterEach(() => {
    if (before === undefined) delete process.env['MILLRACE_LOG_LEVEL'];
    else process.env['MILLRACE_LOG_LEVEL'] = before;
  });

  it.each([
    [undefined, 'warn'],
    ['', 'warn'],
    ['debug', 'debug'],
    ['silent', 'silent'],
  ])('with MILLRACE_LOG_LEVEL=%s is %s', (variable, level) => {
    delete process.env['MILLRACE_LOG_LEVEL'];
    if (variable !== undefined) process.env['MILLRACE_LOG_LEVEL'] = variable;
    expect(createLogger({ name: 'test', level: 'warn' }).level).toBe(level);
  });

  it('is refused when it is none, and those that there are are named', () => {
    process.env['MILLRACE_LOG_LEVEL'] = 'verbose';
    expect(() => createLogger({ name: 'test' })).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        what: expect.stringContaining('"verbose"'),
        remedy: expect.stringContaining('debug'),
      }),
    );
  });
});
