import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { assignHomes } from './rendezvous.ts';

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
const loads = (homes: ReadonlyMap<string, string>, members: readonly string[]): number[] =>
  members.map((member) => [...homes.values()].filter((home) => home === member).length);
const moved = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): number =>
  [...after].filter(([key, home]) => before.get(key) !== home).length;

describe('assignHomes', () => {
  it('gives no homes without members', () => {
    expect(assignHomes(['a'], [], new Map()).size).toBe(0);
  });

  it('does not depend on the order of keys or members', () => {
    const members = names('e', 5);
    const keys = names('topic', 40);
    const one = assignHomes(keys, members, new Map());
    const other = assignHomes(keys.toReversed(), members.toReversed(), new Map());
    expect(other).toEqual(one);
  });

  it('gives every member its share, rounded down or up', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.integer({ min: 1, max: 20 }), (keyCount, memberCount) => {
        const members = names('e', memberCount);
        const spread = loads(assignHomes(names('t', keyCount), members, new Map()), members);
        expect(Math.max(...spread) - Math.min(...spread)).toBeLessThanOrEqual(1);
        expect(spread.reduce((sum, load) => sum + load, 0)).toBe(keyCount);
      }),
      { numRuns: 60 },
    );
  });

  it('moves only the share of a member that joins, and only the keys of one that leaves', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        (keyCount, memberCount, joins) => {
          const keys = names('t', keyCount);
          let members = names('e', memberCount);
          let homes = assignHomes(keys, members, new Map());
          for (const [step, join] of joins.entries()) {
            const leaving = members[step % members.length] ?? '';
            if (!join && members.length === 1) continue;
            const next = join ? [...members, `new-${step}`] : members.filter((member) => member !== leaving);
            const after = assignHomes(keys, next, homes);
            const held = [...homes.values()].filter((home) => home === leaving).length;
            expect(moved(homes, after)).toBeLessThanOrEqual(join ? Math.ceil(keyCount / next.length) : held);
            const spread = loads(after, next);
            expect(Math.max(...spread) - Math.min(...spread)).toBeLessThanOrEqual(1);
            members = next;
            homes = after;
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('keeps most keys of a cluster that starts again under the same names', () => {
    const keys = names('t', 100);
    const first = assignHomes(keys, names('e', 4), new Map());
    expect(moved(first, assignHomes(keys, names('e', 4), new Map()))).toBe(0);
  });
});
