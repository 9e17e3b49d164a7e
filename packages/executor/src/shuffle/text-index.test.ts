import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { textHash } from './key-hash.ts';
import { anyText } from './testing/any-row.ts';
import { TextIndex } from './text-index.ts';

/** FNV-1a, as keys are hashed. */
function fnv(from: number, text: string): number {
  let state = from;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x0100_0193);
  return state;
}

/** 2^`pairs` texts of one hash: of each pair of parts, both lead from one state to the same next one. */
function colliding(pairs: number): string[] {
  let state = fnv(0x811c_9dc5 | 0, `s${8 * pairs}:`);
  let texts = [''];
  for (let done = 0; done < pairs; done++) {
    const parts = new Map<number, string>();
    for (let number = 0; ; number++) {
      // All eight units differ: few that do take long to collide.
      const part = (Math.imul(number, 0x9e37_79b1) >>> 0).toString(16).padStart(8, '0');
      const next = fnv(state, part);
      const other = parts.get(next);
      parts.set(next, part);
      if (other === undefined) continue;
      texts = texts.flatMap((text) => [text + other, text + part]);
      state = next;
      break;
    }
  }
  return texts;
}

describe('an index of texts', () => {
  it('knows the number of each text that it took, and of no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyText(), { maxLength: 300, size: 'max' }), anyText(), (texts, other) => {
        const index = new TextIndex(texts);
        const taken = texts.map((text, number) => index.add(text, number));
        for (const [number, text] of texts.entries())
          expect(index.find(text)).toBe(taken[number] ? number : -1);
        if (!texts.includes(other)) expect(index.find(other)).toBe(-1);
        index.clear();
        for (const text of texts) expect(index.find(text)).toBe(-1);
      }),
      { numRuns: 50 },
    );
  });

  it('takes 100,000 short texts, and leaves long ones to others', () => {
    const texts = Array.from({ length: 100_000 }, (_, number) => `user-${number}`);
    const index = new TextIndex(texts);
    expect(texts.every((text, number) => index.add(text, number))).toBe(true);
    expect(texts.every((text, number) => index.find(text) === number)).toBe(true);
    expect(index.add('x'.repeat(65), 0)).toBe(false);
    expect(index.find('x'.repeat(65))).toBe(-1);
  });

  it('does not look for ever among texts that were made to collide, and still knows what it took', () => {
    const texts = colliding(7);
    expect(new Set(texts.map((text) => textHash(text))).size).toBe(1);
    const index = new TextIndex(texts);
    const taken = texts.map((text, number) => index.add(text, number));
    expect(taken.filter(Boolean)).toHaveLength(64);
    for (const [number, text] of texts.entries()) expect(index.find(text)).toBe(taken[number] ? number : -1);
  });
});
