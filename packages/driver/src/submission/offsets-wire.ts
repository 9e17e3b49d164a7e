import { MillraceError } from '@millrace/common';
import type { OffsetsReportInit, OffsetChange as WireChange } from '@millrace/proto';
import type { LoggedBatch, LoggedMoves, ReadLog } from '../application/log/log-reader.ts';
import type { OffsetChange, OffsetReport, OffsetTarget } from '../offset-report.ts';

// Offsets and their log as wire messages.

/** @throws MillraceError BAD_REQUEST. */
export function changeFromWire(wire: WireChange): OffsetChange {
  return { target: targetFromWire(wire), only: wire.only, inputId: wire.input };
}

function targetFromWire(wire: WireChange): OffsetTarget {
  const { exact, timestamp = 0, shift = 0 } = wire;
  switch (wire.target) {
    case 'exact':
      return { kind: 'exact', offsets: exact?.offsets ?? {} };
    case 'earliest':
    case 'latest':
    case 'group':
      return { kind: wire.target };
    case 'timestamp':
      return { kind: 'timestamp', timestamp };
    case 'shift':
      return { kind: 'shift', by: shift };
    default:
      throw new MillraceError('BAD_REQUEST', 'a change of offsets has no target');
  }
}

export function reportToWire(report: OffsetReport): OffsetsReportInit {
  const { lastBatchTime = 0, pendingBatchTime = 0, partitions, notes, ...rest } = report;
  return {
    ...rest,
    lastBatchTime,
    pendingBatchTime,
    partitions: partitions.map(({ inputId, topic, partition, planned, isRecreated, ...offsets }) => ({
      input: inputId,
      topic,
      partition,
      isRecreated,
      ...(planned && { planned }),
      // What is undefined is absent.
      ...(Object.fromEntries(Object.entries(offsets).filter(([, offset]) => offset !== undefined)) as Partial<
        Record<'position' | 'earliest' | 'latest' | 'target', number>
      >),
    })),
    notes: [...notes],
  };
}

/** One JSON text for each batch and each decision about offsets, in the order of their times. */
export function logLines({ batches, moves, state }: ReadLog): string[] {
  const pending = state.pending?.batchTime;
  const entries = [
    ...batches.map((batch) => ({ at: batch.planned.batchTime, entry: batchEntry(batch, pending) })),
    ...moves.map((move) => ({ at: move.at, entry: movesEntry(move) })),
  ];
  return entries.toSorted((a, b) => a.at - b.at).map(({ entry }) => JSON.stringify(entry));
}

function batchEntry({ planned, committed }: LoggedBatch, pending: number | undefined): object {
  const { inputs, ...plan } = planned;
  const ranges = inputs.flatMap(({ inputId, ranges: each }) =>
    each.map(({ topic, partition, fromOffset, untilOffset }) => ({
      input: inputId,
      topic,
      partition,
      fromOffset,
      untilOffset,
    })),
  );
  const state = committed ? 'committed' : plan.batchTime === pending ? 'planned' : 'given-up';
  return { kind: 'batch', ...plan, state, ranges, committed: committed ?? null };
}

function movesEntry({ at, epoch, reason, abandons, inputs }: LoggedMoves): object {
  const moves = inputs.flatMap(({ inputId, moves: each }) =>
    each.map(({ topic, partition, from, offset }) => ({
      input: inputId,
      topic,
      partition,
      from: from ?? null,
      to: offset,
    })),
  );
  return { kind: 'moved', at, epoch, reason, abandons: abandons ?? null, moves };
}
