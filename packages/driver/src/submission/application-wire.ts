import { assertNever } from '@millrace/common';
import { type ApplicationEventInit, type ApplicationStatusInit, recordToWire } from '@millrace/proto';
import type { BatchSummary } from '../application-events.ts';
import type { Application } from './application.ts';
import type { LoggedEvent } from './event-log.ts';
import { idOf } from './kept-programs.ts';

// Applications and their events as wire messages.

export function statusToWire(application: Application): ApplicationStatusInit {
  const { name, record, totals, hostPid, restarts } = application;
  return {
    application: name,
    state: record.state,
    epoch: record.epoch,
    programHash: record.programHash,
    submittedAt: record.submittedAt,
    hostPid,
    batches: totals.batches,
    records: totals.records,
    skippedUndecodable: totals.undecodable,
    skippedDeleted: totals.deleted,
    deadLetters: totals.deadLetters,
    lag: totals.lag,
    lastBatchTime: totals.lastBatchTime,
    lastProcessingMs: totals.lastProcessingMs,
    error: record.error ? recordToWire(record.error) : null,
    lastNotice: application.journal.lastNotice ?? null,
    restarts,
    programId: idOf(record),
    earlierPrograms: record.earlier.map((program) => ({
      programId: idOf(program),
      programHash: program.programHash,
      submittedAt: program.submittedAt,
    })),
  };
}

export function eventToWire(application: string, { sequence, at, event }: LoggedEvent): ApplicationEventInit {
  const head = { sequence, at, application };
  switch (event.kind) {
    case 'state': {
      const error = event.error ? recordToWire(event.error) : null;
      return { ...head, state: { state: event.state, error } };
    }
    case 'batch-completed':
      return { ...head, batchCompleted: batchToWire(event.batch) };
    case 'batch-failed':
      return { ...head, batchFailed: { batchTime: event.batchTime, error: recordToWire(event.error) } };
    case 'output':
      return { ...head, output: { text: event.text, error: event.error } };
    case 'notice':
      return { ...head, notice: { level: event.level, text: event.text } };
    default:
      return assertNever(event, 'event');
  }
}

function batchToWire(batch: BatchSummary): NonNullable<ApplicationEventInit['batchCompleted']> {
  const accumulators = batch.accumulators.map(({ name, value, added }) => ({
    name,
    value: String(value),
    added: added === undefined ? '' : String(added),
  }));
  return { ...batch, accumulators };
}
