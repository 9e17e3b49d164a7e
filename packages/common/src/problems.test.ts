import { describe, expect, it } from '@jest/globals';
import { MillraceError } from './millrace-error.ts';
import { placed, problemsError, problemsOf } from './problems.ts';

const noTopic = new MillraceError('UNKNOWN_TOPIC', 'no topic x', { remedy: 'Create it.' });
const noOutput = new MillraceError('NO_OUTPUT_OPERATION', 'no output', { details: { place: 'job.ts:1:2' } });

describe('problems of a job', () => {
  it('are the only one itself, or none', () => {
    expect(problemsError([])).toBeUndefined();
    expect(problemsError([noTopic])).toBe(noTopic);
  });

  it('are one error that lists each with place, code and remedy', () => {
    const capture = new MillraceError('CLOSURE_CAPTURE', 'lambda at job.ts:3:4\n\n  frame\n', {
      details: { place: 'job.ts:3:4' },
    });
    const error = problemsError([noTopic, noOutput, capture]);
    expect(error).toMatchObject({
      code: 'JOB_INVALID',
      details: { problems: 3, codes: 'UNKNOWN_TOPIC,NO_OUTPUT_OPERATION,CLOSURE_CAPTURE' },
    });
    expect(error?.what.split('\n')).toEqual([
      '3 problems',
      '',
      '1. no topic x [UNKNOWN_TOPIC]',
      '   Create it.',
      '',
      '2. job.ts:1:2: no output [NO_OUTPUT_OPERATION]',
      '',
      '3. lambda at job.ts:3:4 [CLOSURE_CAPTURE]',
      '',
      '     frame',
    ]);
  });

  it('keep their code when it is the same', () => {
    expect(problemsError([noTopic, noTopic])).toMatchObject({ code: 'UNKNOWN_TOPIC' });
  });

  it('are worth another attempt when all of them are', () => {
    const away = new MillraceError('KAFKA_UNREACHABLE', 'no broker');
    const moved = new MillraceError('LEADER_CHANGED', 'no leader');
    expect(problemsError([away, moved])?.retryable).toBe(true);
    expect(problemsError([away, noTopic])?.retryable).toBe(false);
  });

  it('are told apart again, also when a list is one of them', () => {
    const two = problemsError([noTopic, noOutput]) as MillraceError;
    const all = problemsError([two, noTopic]) as MillraceError;
    expect(problemsOf(all)).toEqual([noTopic, noOutput, noTopic]);
    expect(all.what).toMatch(/^3 problems\n/);
    expect(problemsOf(noTopic)).toEqual([noTopic]);
    const copy = MillraceError.fromRecord(structuredClone(MillraceError.toRecord(all)));
    expect(problemsOf(copy).map(({ code }) => code)).toEqual([
      'UNKNOWN_TOPIC',
      'NO_OUTPUT_OPERATION',
      'UNKNOWN_TOPIC',
    ]);
    const [first, second] = problemsOf(placed(two, 'job.ts:5:6'));
    expect([first?.details['place'], second?.details['place']]).toEqual(['job.ts:5:6', 'job.ts:1:2']);
  });

  it('get a place unless they name one', () => {
    expect(placed(noTopic, 'job.ts:5:6')).toMatchObject({
      code: 'UNKNOWN_TOPIC',
      remedy: 'Create it.',
      details: { place: 'job.ts:5:6' },
    });
    expect(placed(noOutput, 'job.ts:5:6')).toBe(noOutput);
    const named = new MillraceError('CLOSURE_CAPTURE', 'x', { details: { file: 'a.ts', line: 1 } });
    expect(placed(named, 'job.ts:5:6')).toBe(named);
    expect(placed(noTopic, '')).toBe(noTopic);
  });
});
