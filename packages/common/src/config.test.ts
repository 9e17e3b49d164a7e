import { describe, expect, it } from '@jest/globals';
import { checkConfig, duration, flag, integer, oneOf, optional, resolveConfig, text } from './config.ts';

const SCHEMA = {
  name: text({ doc: 'who', pattern: /^[a-z]+$/ }),
  retries: integer({ doc: 'how often', default: 3, min: 0, max: 10 }),
  timeout: duration({ doc: 'how long', default: 1000 }),
  mode: oneOf(['fast', 'safe'], { doc: 'how', default: 'safe' }),
  loud: flag({ doc: 'whether', default: false }),
  note: optional(text({ doc: 'what' })),
};

describe('configuration', () => {
  it('fills in defaults and parses what was given', () => {
    expect(resolveConfig(SCHEMA, { name: 'abc', timeout: '5s', loud: 'true', retries: '7' }, 'test')).toEqual(
      {
        name: 'abc',
        retries: 7,
        timeout: 5000,
        mode: 'safe',
        loud: true,
        note: undefined,
      },
    );
  });

  it('reports every problem at once and names the nearest key', () => {
    const { problems } = checkConfig(
      SCHEMA,
      { retrys: 1, retries: 11, mode: 'slow', timeout: '5 parsecs' },
      'test',
    );
    expect(problems).toHaveLength(5);
    expect(problems[0]).toBe('test: unknown option "retrys"; did you mean "retries"?');
    expect(problems.join('\n')).toContain('"name" is required');
    expect(problems.join('\n')).toContain('expected one of fast, safe');
  });

  it.each([null, 5, [], 'text'])('refuses %p for options', (given) => {
    expect(checkConfig(SCHEMA, given, 'test').problems).toEqual(['test: expected an object of options']);
  });

  it('does not take inherited names for options', () => {
    expect(checkConfig(SCHEMA, { name: 'abc', constructor: 1 }, 'test').problems[0]).toContain(
      'unknown option "constructor"',
    );
  });
});
