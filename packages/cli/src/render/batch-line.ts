import type { AccumulatorChange, BatchSummary } from '../client/application-event.ts';
import type { Terminal } from '../terminal.ts';
import { grouped, shortDuration, shortInterval } from './quantity.ts';

/** One line stays one line: `--json` has all of them, whole. */
const ACCUMULATORS_MAX = 6;
const TEXT_MAX = 40;

/** `#812 1.0s 48 210 rec 12/12 tasks lag 412 ✓ 0.31s`: number, interval, records, tasks, lag, processing time; then what its tasks added to named accumulators. */
export function batchLine(batch: BatchSummary, terminal: Terminal): string {
  const late = batch.batchIntervalMs > 0 && batch.processingMs > batch.batchIntervalMs;
  const parts = [
    terminal.style('err', 'dim', `#${batch.number}`),
    shortInterval(batch.batchIntervalMs),
    `${grouped(batch.records)} rec`,
    `${batch.tasks}/${batch.tasks} tasks`,
    `lag ${grouped(batch.lag)}`,
    terminal.style('err', late ? 'yellow' : 'green', `✓ ${shortDuration(batch.processingMs)}`),
  ];
  const remarks = [
    batch.failedAttempts > 0 ? plural(batch.failedAttempts, 'failed attempt') : '',
    batch.coalescedIntervals > 0 ? `${plural(batch.coalescedIntervals, 'missed interval')} coalesced` : '',
  ].filter((remark) => remark !== '');
  const shared = batch.accumulators.slice(0, ACCUMULATORS_MAX).map(accumulatorText);
  if (shared.length > 0) parts.push(`· ${shared.join(', ')}`);
  if (remarks.length > 0) parts.push(terminal.style('err', 'yellow', remarks.join(', ')));
  return parts.join(' ');
}

/** "untaxed orders 12 (+3)". */
function accumulatorText({ name, value, added }: AccumulatorChange): string {
  if (typeof value === 'string')
    return `${name} ${value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}…` : value}`;
  if (added === undefined) return `${name} ${value}`;
  return `${name} ${readable(value)} (${added < 0 ? '−' : '+'}${readable(Math.abs(added))})`;
}

function readable(value: number): string {
  return Number.isSafeInteger(value) ? grouped(value) : String(Number(value.toPrecision(6)));
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
