import { describe, expect, it } from '@jest/globals';
import { settingsOf } from '../program-identity.ts';
import { earlierPrograms, idOf, plannerOf, rollbackTarget } from './kept-programs.ts';
import type { SubmissionRecord, SubmittedProgram } from './submission-store.ts';

function program(programHash: string, environment: Record<string, string> = {}): SubmittedProgram {
  return { programHash, config: {}, environment, submittedAt: 0 };
}

function record(current: SubmittedProgram, earlier: readonly SubmittedProgram[] = []): SubmissionRecord {
  return { ...current, name: 'app', earlier, desired: 'running', state: 'STOPPED', epoch: 1 };
}

function planned({ programHash, config, environment }: SubmittedProgram) {
  return {
    programHash,
    settings: settingsOf(config, environment),
    batchTime: 1,
    epoch: 1,
    planHash: 'h',
    intervals: 1,
    inputs: [],
  };
}

/** Submits one after the other. */
function submitted(
  programs: readonly SubmittedProgram[],
  pending?: SubmittedProgram,
): readonly SubmittedProgram[] {
  let last: SubmissionRecord | undefined;
  for (const next of programs) last = record(next, earlierPrograms(last, next, pending && planned(pending)));
  return last?.earlier ?? [];
}

const a = program('a');
const b = program('b');
const c = program('c');
const d = program('d');
const e = program('e');
const f = program('f');
const g = program('g');
const h = program('h');

describe('the programs that are kept', () => {
  it('are five, newest first, each once; settings make another one', () => {
    expect(submitted([a])).toEqual([]);
    expect(submitted([a, b, c, b])).toEqual([c, a]);
    expect(submitted([a, b, c, d, e, f, g])).toEqual([f, e, d, c, b]);
    const other = program('a', { LIMIT: '5' });
    expect(submitted([a, other])).toEqual([a]);
    expect(submitted([a, program('a', { API_TOKEN: 'abcdef' })])).toEqual([]);
  });

  it('hold that of a pending batch, however many come after it', () => {
    expect(submitted([a, b, c, d, e, f, g, h], a)).toEqual([g, f, e, d, c, a]);
  });

  it('tell which has planned a batch that is to be finished first', () => {
    expect(plannerOf(record(b, [a]), undefined)).toBeUndefined();
    expect(plannerOf(record(b, [a]), planned(b))).toBeUndefined();
    expect(plannerOf(record(b, [a]), planned(a))).toBe(a);
    expect(plannerOf(record(b, [a]), planned(c))).toBeUndefined();
    expect(plannerOf({ ...record(b, [a]), withNewProgram: true }, planned(a))).toBeUndefined();
    const other = program('a', { LIMIT: '5' });
    expect(plannerOf(record(other, [a]), planned(a))).toBe(a);
    // By a version that knew no settings: the code is the same.
    const { settings: _, ...before } = planned(a);
    expect(plannerOf(record(other, [a]), before)).toBeUndefined();
  });

  it('are found by how their id begins', () => {
    const other = program('a', { LIMIT: '5' });
    const kept = record(c, [b, other, a]);
    expect(rollbackTarget(kept, '')).toBe(b);
    expect(rollbackTarget(kept, idOf(other).slice(0, 12))).toBe(other);
    const twice = record(c, [program('ab1'), program('ab2')]);
    expect(() => rollbackTarget(twice, 'ab')).toThrow('more than one earlier program ab');
    expect(() => rollbackTarget(kept, 'ffff')).toThrow('no earlier program ffff');
    expect(() => rollbackTarget(record(a), '')).toThrow('no earlier program');
  });
});
