import { describe, expect, it } from '@jest/globals';
import { canonicalKey, KeyMap } from '@millrace/api/internal';
import * as fc from 'fast-check';
import { anyKey } from './testing/any-row.ts';

describe('a map by canonical keys', () => {
  it('does what a map of canonical texts does, whatever the keys', () => {
    const step = fc.record({ key: anyKey(), remove: fc.boolean(), value: fc.integer() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new KeyMap<number>();
        const reference = new Map<string, number>();
        for (const { key, remove, value } of steps) {
          const text = canonicalKey(key);
          expect([map.has(key), map.get(key)]).toEqual([reference.has(text), reference.get(text)]);
          if (remove) expect(map.delete(key)).toBe(reference.delete(text));
          else {
            map.set(key, value);
            reference.set(text, value);
          }
        }
        expect(map.size).toBe(reference.size);
        expect([...map].map(([key, value]) => [canonicalKey(key), value])).toEqual([...reference]);
      }),
    );
  });

  it('keeps the key that appeared first, and forgets it when it is removed', () => {
    const map = new KeyMap<number>();
    const [first, second] = [{ a: 1 }, { a: 1 }];
    map.set(first, 1);
    map.set(second, 2);
    expect([...map.keys()][0]).toBe(first);
    map.delete(second);
    map.set(second, 3);
    expect([...map.keys()][0]).toBe(second);
    map.clear();
    expect([map.size, map.has(first)]).toEqual([0, false]);
  });

  it('does not take a text for the object that it is the canonical text of', () => {
    const map = new KeyMap<number>();
    map.set(['u'], 1);
    expect(map.has(canonicalKey(['u']))).toBe(false);
    expect(() => map.get(Symbol('s'))).toThrow('cannot be a key');
    expect(() => map.set(() => 1, 1)).toThrow('cannot be a key');
  });
});
