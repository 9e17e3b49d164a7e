import { invariant } from '@millrace/common';
import { type TopicPartitionKey, topicPartitionKey } from '@millrace/kafka';
import { type LoggedStates, NO_STATE, statesAfter } from '../state/logged-state.ts';
import type {
  LoggedHistory,
  LoggedOutputs,
  LoggedPosition,
  LogRecord,
  OffsetMoves,
  PastBatch,
  PlannedBatch,
} from './log-record.ts';
import { type LoggedSums, NO_SUMS, sumsAfter } from './logged-sums.ts';

export type InputPositions = ReadonlyMap<TopicPartitionKey, LoggedPosition>;

/** What a log says at one point. */
export interface LogState {
  /** Made with the log, and the same for ever: two applications of one name have two. Absent: nothing was written yet, or by a version without. */
  readonly id?: string;
  /** It was begun in the place of an earlier one, as somebody asked for: what exactly-once outputs have of that does not count. */
  readonly isAnew?: true;
  /** By input id. An input that never planned a batch is absent, unless its offsets were moved. */
  readonly positions: ReadonlyMap<number, InputPositions>;
  /** Inputs with positions that never planned a batch: partitions without one begin as on a first run. */
  readonly unbegun: ReadonlySet<number>;
  /** Batch time of the last committed batch, or of a later one that was given up: no other batch has that time. */
  readonly lastCommitted: number | undefined;
  /** Batch time of the last batch that was committed, and not given up. */
  readonly lastDone: number | undefined;
  /** Planned and not committed: it runs again, with the same ranges. */
  readonly pending: PlannedBatch | undefined;
  readonly history: LoggedHistory;
  /** Keyed state, as the last committed batch left it. */
  readonly state: LoggedStates;
  readonly outputs: LoggedOutputs;
  readonly sums: LoggedSums;
}

const NO_HISTORY: LoggedHistory = { keepMs: 0, batches: [] };

export const EMPTY_LOG: LogState = {
  positions: new Map(),
  unbegun: new Set(),
  lastCommitted: undefined,
  lastDone: undefined,
  pending: undefined,
  history: NO_HISTORY,
  state: NO_STATE,
  outputs: new Map(),
  sums: NO_SUMS,
};

/**
 * The state after `record`.
 * @throws MillraceError INTERNAL when the record cannot follow: a batch time that does not grow, a range that does not begin
 *   where the last one ended, a commit of another batch than the planned one.
 */
export function applyRecord(state: LogState, record: LogRecord): LogState {
  switch (record.kind) {
    case 'anchor':
      return {
        ...(record.id !== undefined && { id: record.id }),
        ...(record.isAnew && { isAnew: true }),
        positions: new Map(
          record.positions.map(({ inputId, at }) => [
            inputId,
            new Map(at.map((position) => [topicPartitionKey(position), position])),
          ]),
        ),
        unbegun: new Set(record.unbegun),
        lastCommitted: record.lastCommitted,
        lastDone: record.lastDone === undefined ? record.lastCommitted : (record.lastDone ?? undefined),
        pending: record.pending,
        history: record.history ?? NO_HISTORY,
        state: record.state ?? NO_STATE,
        outputs: record.outputs ?? new Map(),
        sums: record.sums ?? NO_SUMS,
      };
    case 'planned': {
      checkPlan(state, record);
      const unbegun = new Set(state.unbegun);
      for (const { inputId } of record.inputs) unbegun.delete(inputId);
      return { ...state, unbegun, pending: planOf(record) };
    }
    case 'committed': {
      const { pending } = state;
      invariant(
        pending?.batchTime === record.batchTime,
        `the commit of batch ${record.batchTime} follows its plan, not that of ${pending?.batchTime}`,
      );
      return {
        ...state,
        positions: advance(state.positions, pending),
        lastCommitted: record.batchTime,
        lastDone: record.batchTime,
        pending: undefined,
        history: remembered(state.history, {
          batchTime: record.batchTime,
          previous: state.lastCommitted,
          inputs: pending.inputs,
        }),
        state: record.state ? statesAfter(state.state, record.state, record.batchTime) : state.state,
        sums: sumsAfter(state.sums, record.metrics),
      };
    }
    case 'moved':
      return moved(state, record);
    case 'output':
      return {
        ...state,
        outputs: new Map(state.outputs).set(record.prefix, record.tasks),
        pending: state.pending && writtenTo(state.pending, record.prefix),
      };
  }
}

function writtenTo(pending: PlannedBatch, prefix: string): PlannedBatch {
  const { outputs } = pending;
  if (outputs === undefined || outputs.includes(prefix)) return pending;
  return { ...pending, outputs: [...outputs, prefix] };
}

/** No batch was planned by it. */
export function isUnbegun({ lastCommitted, pending }: LogState): boolean {
  return lastCommitted === undefined && pending === undefined;
}

/** It was begun anew, and no batch was planned since. */
export function beginsAnew(state: LogState): boolean {
  return state.isAnew === true && isUnbegun(state);
}

/** Exactly-once outputs that may have something of the planned batch. */
export function begunOutputs({ pending, outputs }: LogState): ReadonlySet<string> {
  if (!pending) return new Set();
  const logged = [...outputs.keys()];
  return new Set(pending.outputs ? logged.filter((prefix) => pending.outputs?.includes(prefix)) : logged);
}

function moved(state: LogState, { abandons, inputs }: OffsetMoves): LogState {
  const { pending, lastCommitted } = state;
  invariant(
    pending?.batchTime === abandons,
    `offsets are moved with batch ${pending?.batchTime} planned, and ${abandons} is given up`,
  );
  const positions = new Map(state.positions);
  const unbegun = new Set(state.unbegun);
  for (const { inputId, moves } of inputs) {
    if (isFirstOf(state, inputId)) unbegun.add(inputId);
    const input = new Map(positions.get(inputId));
    for (const { from, ...position } of moves) {
      const key = topicPartitionKey(position);
      const before = input.get(key)?.offset;
      invariant(before === from, `${key} is moved from ${before}, not from ${from}`);
      input.set(key, position);
    }
    positions.set(inputId, input);
  }
  return { ...state, positions, unbegun, pending: undefined, lastCommitted: abandons ?? lastCommitted };
}

/** No batch was planned of this input. */
export function isFirstOf({ positions, unbegun, pending }: LogState, inputId: number): boolean {
  if (unbegun.has(inputId)) return true;
  return !positions.has(inputId) && pending?.inputs.some((input) => input.inputId === inputId) !== true;
}

/** From now on so much is kept; what was not kept does not come back. */
export function keepingHistory(state: LogState, keepMs: number): LogState {
  const { history, lastCommitted } = state;
  if (history.keepMs === keepMs) return state;
  const batches = lastCommitted === undefined ? [] : since(history.batches, lastCommitted - keepMs);
  return { ...state, history: { keepMs, batches } };
}

function remembered(history: LoggedHistory, batch: PastBatch): LoggedHistory {
  const { keepMs, batches } = history;
  if (keepMs === 0) return history;
  return { keepMs, batches: [...since(batches, batch.batchTime - keepMs), batch] };
}

function since(batches: readonly PastBatch[], time: number): readonly PastBatch[] {
  const first = batches.findIndex(({ batchTime }) => batchTime > time);
  return first === -1 ? [] : batches.slice(first);
}

/** Where planning goes on: behind the batch that is still to be run. */
export function planningPositions(state: LogState): ReadonlyMap<number, InputPositions> {
  return state.pending ? advance(state.positions, state.pending) : state.positions;
}

export function planOf(record: LogRecord & { kind: 'planned' }): PlannedBatch {
  const { kind: _, ...planned } = record;
  return planned;
}

/** The anchor that says the same as `state`. */
export function anchorOf(
  state: LogState,
  epoch: number,
  fence: (LogRecord & { kind: 'anchor' })['fence'],
): LogRecord {
  return {
    kind: 'anchor',
    epoch,
    ...(state.id !== undefined && { id: state.id }),
    ...(state.isAnew && { isAnew: true }),
    fence,
    lastCommitted: state.lastCommitted,
    ...(state.lastDone !== state.lastCommitted && { lastDone: state.lastDone ?? null }),
    positions: [...state.positions].map(([inputId, at]) => ({ inputId, at: [...at.values()] })),
    pending: state.pending,
    ...(state.unbegun.size > 0 && { unbegun: [...state.unbegun] }),
    ...(state.history.keepMs > 0 && { history: state.history }),
    ...(state.state.size > 0 && { state: state.state }),
    ...(state.outputs.size > 0 && { outputs: state.outputs }),
    ...(state.sums.batches > 0 && { sums: state.sums }),
  };
}

function checkPlan(state: LogState, planned: PlannedBatch): void {
  const { pending, lastCommitted } = state;
  invariant(
    pending === undefined,
    `batch ${planned.batchTime} is planned after ${pending?.batchTime} was committed`,
  );
  invariant(
    lastCommitted === undefined || planned.batchTime > lastCommitted,
    `batch time ${planned.batchTime} is after ${lastCommitted}`,
  );
  for (const { inputId, ranges } of planned.inputs) {
    const positions = state.positions.get(inputId);
    for (const range of ranges) {
      const position = positions?.get(topicPartitionKey(range));
      invariant(
        position === undefined || position.offset === range.fromOffset,
        `${topicPartitionKey(range)} goes on at ${position?.offset}, not at ${range.fromOffset}`,
      );
      invariant(range.fromOffset <= range.untilOffset, `${topicPartitionKey(range)} has from ≤ until`);
    }
  }
}

function advance(
  before: ReadonlyMap<number, InputPositions>,
  batch: PlannedBatch,
): ReadonlyMap<number, InputPositions> {
  const positions = new Map(before);
  for (const { inputId, ranges } of batch.inputs) {
    const input = new Map(positions.get(inputId));
    for (const { topic, partition, untilOffset, topicId, leaderEpoch, untilEpoch } of ranges) {
      input.set(topicPartitionKey({ topic, partition }), {
        topic,
        partition,
        offset: untilOffset,
        topicId,
        leaderEpoch: untilEpoch ?? leaderEpoch ?? -1,
      });
    }
    positions.set(inputId, input);
  }
  return positions;
}
