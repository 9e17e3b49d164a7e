import { describe, expect, it } from '@jest/globals';
import { canonicalKey } from './canonical-key.ts';

describe('canonical keys', () => {
  it.each([
    [0, -0],
    [Number.NaN, Number.NaN],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [
      ['u', 1n],
      ['u', 1n],
    ],
    [new Date(5), new Date(5)],
    [Buffer.from('x'), new Uint8Array([120])],
  ])('are equal for %p and %p', (a, b) => expect(canonicalKey(a)).toBe(canonicalKey(b)));

  it.each([
    [1, '1'],
    [1, 1n],
    [null, undefined],
    [['a', 'b'], ['ab']],
    [
      ['a:1', 'b'],
      ['a', '1:b'],
    ],
    [{ a: 1 }, { a: '1' }],
    [[], {}],
  ])('differ for %p and %p', (a, b) => expect(canonicalKey(a)).not.toBe(canonicalKey(b)));

  it('refuse what would never combine', () => {
    expect(() => canonicalKey(() => 1)).toThrow('a function cannot be a key');
    expect(() => canonicalKey(new (class Money {})())).toThrow('a Money cannot be a key');
  });
});
