import { describe, expect, it } from '@jest/globals';
import { checkLedger, type LedgerEntry, verdictText } from './ledger-checker.ts';

const entries = (...pairs: (readonly [number, number])[]): LedgerEntry[] =>
  pairs.map(([partition, sequence]) => ({ partition, sequence }));

const PRODUCED = new Map([
  [0, 3],
  [1, 2],
]);

const verdict = (...batches: LedgerEntry[][]): string =>
  verdictText(checkLedger(PRODUCED, batches)).split('\n')[0] as string;

describe('the ledger checker', () => {
  it('says OK when every record arrived once, in order', () => {
    expect(verdict(entries([0, 0], [0, 1], [1, 0]), [], entries([1, 1], [0, 2]))).toBe('OK');
  });

  it('finds what was lost, also a whole partition', () => {
    expect(verdict(entries([0, 0], [0, 2]))).toBe('LOST 3');
    expect(verdict()).toBe('LOST 5');
  });

  it('finds what came twice, in one batch or in two', () => {
    expect(verdict(entries([0, 0], [0, 0], [0, 1]), entries([0, 1], [0, 2], [1, 0], [1, 1]))).toBe('DUP 2');
  });

  it('finds what came out of order', () => {
    expect(verdict(entries([0, 0], [0, 2]), entries([0, 1], [1, 0], [1, 1]))).toBe('REORDER 1');
  });

  it('counts what nobody produced', () => {
    expect(verdict(entries([0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [7, 0], [0, 99]))).toBe('DUP 2');
  });

  it('names the first findings', () => {
    expect(verdictText(checkLedger(PRODUCED, [entries([0, 0])]))).toContain('0/1 never arrived');
  });
});
