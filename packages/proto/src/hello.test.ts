import { describe, expect, it } from '@jest/globals';
import { checkHello, hello } from './hello.ts';

describe('the version handshake', () => {
  it('accepts itself', () => {
    expect(() => checkHello(hello(), 'executor e-1')).not.toThrow();
  });

  it.each([
    [{ ...hello(), protocol: 99 }, /executor e-1 .*protocol 99, this side 1/],
    [{ ...hello(), nodeMajor: 20 }, /Node 20, this side Node \d+/],
    [{ protocol: 0, nodeMajor: 0, millraceVersion: '' }, /protocol 0.*Node 0/],
    [null, /unknown/],
  ])('refuses %j, saying who has what and what to do', (theirs, text) => {
    expect(() => checkHello(theirs, 'executor e-1')).toThrow(text);
    expect(() => checkHello(theirs, 'executor e-1')).toThrow(
      expect.objectContaining({
        code: 'VERSION_MISMATCH',
        remedy: expect.stringContaining('same Millrace version'),
      }),
    );
  });
});
