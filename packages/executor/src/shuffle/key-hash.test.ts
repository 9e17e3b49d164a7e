import { describe, expect, it } from '@jest/globals';
import { canonicalKey } from '@millrace/api/internal';
import * as fc from 'fast-check';
import { hashPartition, keyHash } from './key-hash.ts';
import { anyKey } from './testing/any-row.ts';

/** As the comment of key-hash.ts defines it, slowly. */
function hashOfText(text: string): number {
  let state = 0x811c9dc5;
  for (const unit of Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))) {
    state = Number(BigInt.asIntN(32, BigInt(state ^ unit) * 0x01000193n));
  }
  let hash = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

describe('the hash of a key', () => {
  // Executors of one cluster must agree: a change of any of these is a change of the wire.
  it.each<[unknown, number]>([
    ['', 3392663995],
    ['user-1', 1686081870],
    ['ключ\u{1f600}', 1996210300],
    ['\ud800', 3206786944],
    ['x'.repeat(300), 2046817166],
    [0, 652827550],
    [7, 2241772741],
    [-2147483648, 3024042216],
    [2147483647, 1076308379],
    [2147483648, 2721474830],
    [0.1, 629732032],
    [1e21, 2781606117],
    [Number.NaN, 62337682],
    [Number.NEGATIVE_INFINITY, 3460471372],
    [1n, 1494497351],
    [true, 2776818722],
    [null, 228143771],
    [undefined, 910896560],
    [new Date(5), 3155239422],
    [Buffer.from('x'), 440562238],
    [['u', 1], 1707182333],
    [{ b: 2, a: [null] }, 1267428019],
  ])('of %p is %p', (key, expected) => expect(keyHash(key)).toBe(expected));

  it('is that of the canonical text, also where it takes a short cut', () => {
    fc.assert(
      fc.property(anyKey(), (key) => expect(keyHash(key)).toBe(hashOfText(canonicalKey(key)))),
      {
        numRuns: 500,
      },
    );
  });

  it('is one for keys that are equal, and several for those that are not', () => {
    expect(keyHash(-0)).toBe(keyHash(0));
    expect(keyHash({ a: 1, b: 2 })).toBe(keyHash({ b: 2, a: 1 }));
    expect(keyHash(Buffer.from('x'))).toBe(keyHash(new Uint8Array([120])));
    expect(new Set([1, 1n, '1', [1], true].map((key) => keyHash(key))).size).toBe(5);
  });

  it('spreads dense keys evenly over few partitions', () => {
    for (const keyOf of [(n: number) => n, (n: number) => `user-${n}`, (n: number) => n * 1024]) {
      for (const partitions of [2, 3, 4, 7, 64]) {
        const counts = Array.from({ length: partitions }, () => 0);
        for (let n = 0; n < 20_000; n++) {
          const partition = hashPartition(keyOf(n), partitions);
          counts[partition] = (counts[partition] ?? 0) + 1;
        }
        expect(Math.max(...counts)).toBeLessThan((20_000 / partitions) * 1.25);
      }
    }
  });

  it('refuses what cannot be a key', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    for (const key of [() => 1, Symbol('s'), new Map(), cyclic, [() => 1]]) {
      expect(() => keyHash(key)).toThrow(expect.objectContaining({ code: 'USER_CODE', retryable: false }));
    }
  });
});
