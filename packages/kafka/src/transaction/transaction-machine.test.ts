import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import * as fc from 'fast-check';
import type { FailureVerdict } from './transaction-failure.ts';
import { TransactionMachine } from './transaction-machine.ts';

const IDENTITY = { id: 7n, epoch: 3 };
const TP = { topic: 't', partition: 0 };
const failure = new MillraceError('KAFKA_PROTOCOL', 'it failed');

function ready(): TransactionMachine {
  const machine = new TransactionMachine('tx');
  machine.initStarted();
  machine.initialized(IDENTITY);
  return machine;
}

function begun(): TransactionMachine {
  const machine = ready();
  machine.begin();
  return machine;
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return 'nothing thrown';
  } catch (error) {
    return MillraceError.is(error) ? error.code : String(error);
  }
}

describe('a transactional producer’s machine', () => {
  it('goes from init over transactions to the next', () => {
    const machine = new TransactionMachine('tx');
    const states = [machine.state];
    const after = (step: () => unknown) => {
      step();
      states.push(machine.state);
    };
    after(() => machine.initStarted());
    after(() => machine.initialized(IDENTITY));
    after(() => machine.begin());
    after(() => machine.endStarted(true));
    after(() => machine.ended());
    after(() => machine.begin());
    after(() => machine.endStarted(false));
    after(() => machine.ended());
    after(() => machine.initStarted());
    const expected = 'UNINITIALIZED INITIALIZING READY IN_TRANSACTION COMMITTING READY IN_TRANSACTION';
    expect(states.join(' ')).toBe(`${expected} ABORTING READY INITIALIZING`);
  });

  it('keeps the numbers of its batches over transactions and begins them anew with an init', () => {
    const machine = begun();
    const attempt = machine.open();
    attempt.added([TP]);
    attempt.written(TP, 5);
    machine.endStarted(true);
    machine.ended();
    expect([attempt.sequence(TP), attempt.has(TP), attempt.isEmpty]).toEqual([5, false, true]);
    machine.initStarted();
    expect(machine.initialized({ id: 7n, epoch: 4 }).sequence(TP)).toBe(0);
    attempt.written(TP, 2 ** 31 - 6);
    expect(attempt.sequence(TP)).toBe(2 ** 31 - 1);
    attempt.written(TP, 1);
    expect(attempt.sequence(TP)).toBe(0);
  });

  it.each([
    ['ABORTABLE', 'TRANSACTION_ABORTABLE'],
    ['UNKNOWN', 'TRANSACTION_UNKNOWN'],
    ['FENCED', 'PRODUCER_FENCED'],
    ['FATAL', 'KAFKA_PROTOCOL'],
  ] as const)('is %s after such a failure, and says why to who goes on', (verdict, code) => {
    const machine = begun();
    const attempt = machine.open();
    machine.failed(attempt, verdict, failure);
    expect(machine.state).toBe(verdict);
    expect(codeOf(() => machine.open())).toBe(code);
    expect(codeOf(() => machine.endStarted(true))).toBe(code);
    expect(codeOf(() => machine.begin())).toBe(code);
    expect(codeOf(() => machine.mustStillWrite(attempt))).toBe(code);
    const isEnd = verdict === 'FENCED' || verdict === 'FATAL';
    expect(codeOf(() => machine.initStarted())).toBe(isEnd ? code : 'nothing thrown');
  });

  it('hears nothing of an attempt that an init has ended', () => {
    const machine = begun();
    const old = machine.open();
    machine.initStarted();
    machine.failed(old, 'FENCED', failure);
    machine.initialized(IDENTITY);
    machine.failed(old, 'UNKNOWN', failure);
    machine.begin();
    expect(machine.state).toBe('IN_TRANSACTION');
    expect(codeOf(() => machine.mustStillWrite(old))).toBe('BAD_REQUEST');
  });

  it('does not commit when what was on its way fails meanwhile; an abort does not mind', () => {
    for (const [commit, state] of [
      [true, 'ABORTABLE'],
      [false, 'ABORTING'],
    ] as const) {
      const machine = begun();
      const attempt = machine.open();
      machine.endStarted(commit);
      machine.failed(attempt, 'ABORTABLE', failure);
      expect(machine.state).toBe(state);
      expect(codeOf(() => machine.readyToEnd(commit))).toBe(
        commit ? 'TRANSACTION_ABORTABLE' : 'nothing thrown',
      );
    }
  });

  it('never leaves FENCED and FATAL, never ends what is in doubt, and only becomes worse by failures', () => {
    const verdicts: FailureVerdict[] = ['ABORTABLE', 'UNKNOWN', 'FENCED', 'FATAL'];
    const step = fc.oneof(
      fc.constantFrom('init', 'initialized', 'begin', 'commit', 'abort', 'ended'),
      fc.constantFrom(...verdicts),
    );
    const property = fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const machine = new TransactionMachine('tx');
      let attempt: ReturnType<TransactionMachine['initialized']> | undefined;
      for (const one of steps) {
        const before = machine.state;
        const doit: Record<string, () => void> = {
          init: () => {
            machine.initStarted();
            attempt = undefined;
          },
          initialized: () => {
            if (before === 'INITIALIZING') attempt = machine.initialized(IDENTITY);
          },
          begin: () => machine.begin(),
          commit: () => machine.endStarted(true),
          abort: () => machine.endStarted(false),
          ended: () => {
            if (before === 'COMMITTING' || before === 'ABORTING') machine.ended();
          },
        };
        codeOf(doit[one] ?? (() => machine.failed(attempt, one as FailureVerdict, failure)));
        const after = machine.state;
        if (before === 'FENCED' || before === 'FATAL') expect(after).toBe(before);
        if (before === 'UNKNOWN') expect(['UNKNOWN', 'INITIALIZING', 'FENCED', 'FATAL']).toContain(after);
        if (before === 'ABORTABLE') expect(['COMMITTING', 'IN_TRANSACTION', 'READY']).not.toContain(after);
      }
    });
    fc.assert(property, { numRuns: 500 });
  });
});
