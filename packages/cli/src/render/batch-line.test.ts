import { describe, expect, it } from '@jest/globals';
import type { BatchSummary } from '../client/application-event.ts';
import { createTerminal } from '../terminal.ts';
import { batchLine } from './batch-line.ts';

const stream = (isTTY: boolean) => ({ isTTY, write: () => true });
const plain = createTerminal(stream(false), stream(false), {});
const coloured = createTerminal(stream(true), stream(true), {});

const BATCH: BatchSummary = {
  number: 812,
  batchTime: 1_700_000_000_000,
  records: 48_210,
  span: 48_210,
  tasks: 12,
  failedAttempts: 0,
  lag: 412,
  schedulingMs: 2,
  processingMs: 311,
  totalMs: 313,
  coalescedIntervals: 0,
  batchIntervalMs: 1000,
  accumulators: [],
};

describe('the line of a batch', () => {
  it('names number, interval, records, tasks, lag and time', () => {
    expect(batchLine(BATCH, plain)).toBe('#812 1.0s 48 210 rec 12/12 tasks lag 412 ✓ 0.31s');
  });

  it('is plain for a tiny and empty batch', () => {
    const empty = { ...BATCH, records: 0, tasks: 0, lag: 0, processingMs: 1.23, batchIntervalMs: 20 };
    expect(batchLine(empty, plain)).toBe('#812 20ms 0 rec 0/0 tasks lag 0 ✓ 1.2ms');
  });

  it('remarks failed attempts and missed intervals', () => {
    const line = batchLine({ ...BATCH, failedAttempts: 1, coalescedIntervals: 3 }, plain);
    expect(line).toMatch(/✓ 0\.31s 1 failed attempt, 3 missed intervals coalesced$/);
  });

  it('names what the batch added to named accumulators', () => {
    const accumulators = [
      { name: 'untaxed orders', value: 1200, added: 3 },
      { name: 'cents', value: 0.30000000000000004, added: -0.1 },
      { name: 'slowest', value: `{"ms":${'9'.repeat(60)}}` },
    ];
    const line = batchLine({ ...BATCH, failedAttempts: 1, accumulators }, plain);
    expect(line).toContain('✓ 0.31s · untaxed orders 1 200 (+3), cents 0.3 (−0.1), slowest {"ms":9999');
    expect(line).toMatch(/9… 1 failed attempt$/);
    const many = Array.from({ length: 100 }, (_, i) => ({ name: `a${i}`, value: i, added: 1 }));
    expect(batchLine({ ...BATCH, accumulators: many }, plain).length).toBeLessThan(150);
  });

  it('is green in time and yellow when it took longer than the interval', () => {
    expect(batchLine(BATCH, coloured)).toContain('\u001b[32m✓ 0.31s');
    expect(batchLine({ ...BATCH, processingMs: 1400 }, coloured)).toContain('\u001b[33m✓ 1.40s');
  });
});
