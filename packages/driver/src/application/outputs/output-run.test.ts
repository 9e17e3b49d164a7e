import { describe, expect, it } from '@jest/globals';
import type { OutputOperation } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { EMPTY_LOG, type LogState } from '../log/log-state.ts';
import { claimOutputs, outputRunOf } from './output-run.ts';

const PROGRAM = { programHash: 'p', settings: 's' };
const PENDING = {
  batchTime: 1000,
  epoch: 1,
  planHash: 'h',
  intervals: 1,
  inputs: [],
  ...PROGRAM,
} as const;

describe('what outputs are told of their run', () => {
  const of = (state: Partial<LogState> = {}, program = PROGRAM) =>
    outputRunOf({ ...EMPTY_LOG, id: 'l', ...state }, program, { taskTimeout: 5000 });

  it('names the program, with what it was submitted with, and the time of a task', () => {
    const { program, ...rest } = of();
    expect(rest).toEqual({ taskTimeoutMs: 5000, log: 'l', isAnew: false });
    expect(of({}, { ...PROGRAM, settings: 't' }).program).not.toBe(program);
  });

  it('names a batch that another program, or other settings, have planned', () => {
    expect(of()).not.toHaveProperty('pendingBatch');
    expect(of({ pending: PENDING }).pendingBatch).toBe(1000);
    expect(of({ pending: { ...PENDING, programHash: 'q' } }).pendingBatch).toBe(1000);
    expect(of({ pending: { ...PENDING, settings: 't' } }).pendingBatch).toBe(1000);
  });

  it('names the last batch that the log has done', () => {
    expect(of()).not.toHaveProperty('lastCommitted');
    expect(of({ lastCommitted: 900, pending: PENDING }).lastCommitted).toBe(900);
  });

  it('says that the log begins anew as long as it has no batch', () => {
    const isAnew = true;
    expect(of({ isAnew }).isAnew).toBe(true);
    expect(of({ isAnew, pending: PENDING }).isAnew).toBe(false);
    expect(of({ isAnew, lastCommitted: 900 }).isAnew).toBe(false);
  });
});

describe('outputs that are claimed', () => {
  const output = (name: string, claim?: () => Promise<void>): OutputOperation => ({
    outputId: 0,
    name,
    node: { kind: 'refused' },
    run: () => undefined,
    place: 'job.ts:1:1',
    ...(claim && { claim }),
  });
  const dag = (log: string[]) => ({
    beginBatch: (time: number) => void log.push(`begin ${time}`),
    endBatch: () => {
      log.push('end');
      return { records: 0, tasks: 0, failedAttempts: 0, accumulators: [] };
    },
  });

  it('are claimed by jobs of no batch', async () => {
    const log: string[] = [];
    const claim = async (): Promise<void> => void log.push('claim');
    await claimOutputs([output('a', claim), output('b'), output('c', claim)], dag(log));
    expect(log).toEqual(['begin 0', 'claim', 'claim', 'end']);
  });

  it('keep the application from running when one cannot be', async () => {
    const fenced = new MillraceError('FENCED', 'a newer run has it');
    const refused = claimOutputs([output('a', () => Promise.reject(fenced))], dag([]));
    await expect(refused).rejects.toBe(fenced);
    const broken = claimOutputs([output('a', () => Promise.reject(new TypeError('no pool')))], dag([]));
    await expect(broken).rejects.toThrow(expect.objectContaining({ code: 'USER_CODE' }));
  });
});
