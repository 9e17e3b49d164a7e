import type { BatchSummary } from '../client/application-event.ts';
import type { Terminal } from '../terminal.ts';
import { grouped, shortDuration, shortInterval } from './quantity.ts';

/** `#812 1.0s 48 210 rec 12/12 tasks lag 412 ✓ 0.31s`: number, interval, records, tasks, lag, processing time. */
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
  if (remarks.length > 0) parts.push(terminal.style('err', 'yellow', remarks.join(', ')));
  return parts.join(' ');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
