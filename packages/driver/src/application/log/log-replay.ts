import { isDeepStrictEqual } from 'node:util';
import { compareTopicPartitions, topicPartitionKey } from '@millrace/kafka';
import { planHashOf } from '../batch/plan-hash.ts';
import {
  type LoggedStates,
  NO_STATE,
  type StateChanges,
  statesAfter,
  statesToJson,
} from '../state/logged-state.ts';
import { stateFileName } from '../state/state-files.ts';
import type { ChainedSegment } from './log-chain.ts';
import { type CheckedPartition, countMove, type Findings } from './log-check.ts';
import type { LoggedInput, LoggedPosition, LogRecord, PlannedBatch } from './log-record.ts';

type Recorded<Kind extends LogRecord['kind']> = LogRecord & { readonly kind: Kind };

/** Where a partition stands, and what the report says of it. */
interface Stand {
  topicId: string | undefined;
  readonly counted: CheckedPartition;
}

/**
 * Reads the records of a log in order, as somebody would who does not trust who wrote them: it shares no rule with `applyRecord`. What it finds
 * it tells, and goes on as if the record were right.
 */
export class LogReplay {
  readonly counts = { records: 0, planned: 0, committed: 0, resumed: 0, givenUp: 0, moves: 0 };
  firstBatchTime: number | undefined;
  lastCommitted: number | undefined;
  pending: PlannedBatch | undefined;
  states: LoggedStates = NO_STATE;
  readonly #findings: Findings;
  readonly #stands = new Map<number, Map<string, Stand>>();
  /** The ranges of every batch time, as text. */
  readonly #plans = new Map<number, string>();
  #outputs = new Map<string, number>();
  /** Over committed batches, since anchors say so. */
  #sums = { batches: 0, records: 0, undecodable: 0, deleted: 0, deadLetters: 0 };
  #where = '';
  #isBegun = false;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  get partitions(): readonly CheckedPartition[] {
    return [...this.#stands.values()]
      .flatMap((input) => [...input.values()].map(({ counted }) => counted))
      .toSorted((a, b) => a.input - b.input || compareTopicPartitions(a, b));
  }

  read({ name, epoch, records }: ChainedSegment): void {
    let at = 0;
    for (const { record, end } of records) {
      this.#where = `${name} at byte ${at}`;
      if (record.epoch !== epoch)
        this.#tell(`a record of epoch ${record.epoch} is in a segment of epoch ${epoch}`);
      if ((record.kind === 'anchor') !== (at === 0))
        this.#tell('anchors are where segments begin, and nowhere else');
      this.#record(record);
      this.counts.records += 1;
      at = end;
    }
  }

  #record(record: LogRecord): void {
    switch (record.kind) {
      case 'anchor':
        if (this.#isBegun) this.#sameAs(record);
        this.#begin(record);
        return;
      case 'planned':
        this.#planned(record);
        return;
      case 'committed':
        this.#committed(record);
        return;
      case 'moved':
        this.#moved(record);
        return;
      case 'output':
        this.#output(record);
        return;
    }
  }

  /** An anchor says all that went before: where that is not there any more, it is believed. */
  #begin(anchor: Recorded<'anchor'>): void {
    const { fence, lastCommitted, positions, pending, history, state = NO_STATE, outputs, sums } = anchor;
    if (!this.#isBegun && fence === undefined && !isEmpty(anchor))
      this.#tell('it goes on from somewhere, and does not say behind what');
    this.#isBegun = true;
    this.lastCommitted = lastCommitted;
    this.pending = pending;
    this.states = state;
    this.#outputs = new Map(outputs);
    // A version that does not count, or that does not know of it, begins at nothing.
    const { batches = 0, records = 0, undecodable = 0, deleted = 0, deadLetters = 0 } = sums ?? {};
    this.#sums = { batches, records, undecodable, deleted, deadLetters };
    for (const { inputId, at } of positions) for (const position of at) this.#standAt(inputId, position);
    for (const { batchTime, inputs } of history?.batches ?? []) this.#remember(batchTime, inputs);
    if (pending) this.#remember(pending.batchTime, pending.inputs);
  }

  #sameAs({
    lastCommitted,
    pending,
    positions,
    state = NO_STATE,
    outputs = new Map(),
    sums,
  }: Recorded<'anchor'>): void {
    const differs = (what: string): void =>
      this.#tell(`its anchor says something else of ${what} than the records before it`);
    if (lastCommitted !== this.lastCommitted) differs('the last committed batch');
    if (!isDeepStrictEqual(plain(pending), plain(this.pending))) differs('the planned batch');
    if (!isDeepStrictEqual(statesToJson(state), statesToJson(this.states))) differs('keyed state');
    if (!isDeepStrictEqual(new Map(outputs), this.#outputs)) differs('exactly-once outputs');
    if (sums && !isDeepStrictEqual(plain(sums), this.#sums)) differs('what was read');
    const told = new Set<string>();
    for (const { inputId, at } of positions) {
      for (const position of at) {
        const key = topicPartitionKey(position);
        told.add(`${inputId} ${key}`);
        const stand = this.#stands.get(inputId)?.get(key);
        if (stand?.counted.until !== position.offset || stand.topicId !== position.topicId) differs(key);
      }
    }
    for (const [inputId, stands] of this.#stands)
      for (const key of stands.keys()) if (!told.has(`${inputId} ${key}`)) differs(key);
  }

  #planned(planned: Recorded<'planned'>): void {
    const { batchTime, planHash, inputs, intervals } = planned;
    this.counts.planned += 1;
    if (this.pending)
      this.#tell(`${batchOf(batchTime)} is planned before ${batchOf(this.pending.batchTime)} was committed`);
    if (this.lastCommitted !== undefined && !(batchTime > this.lastCommitted))
      this.#tell(`${batchOf(batchTime)} is planned after ${batchOf(this.lastCommitted)} was committed`);
    if (!Number.isSafeInteger(intervals) || intervals < 1)
      this.#tell(`${batchOf(batchTime)} covers ${intervals} intervals`);
    if (planHash !== planHashOf(planned, inputs))
      this.#tell(`the hash of ${batchOf(batchTime)} is not that of its program and ranges`);
    this.#remember(batchTime, inputs);
    for (const input of inputs) this.#checkRanges(batchTime, input);
    const { kind: _, ...pending } = planned;
    this.pending = pending;
  }

  #checkRanges(batchTime: number, { inputId, ranges }: LoggedInput): void {
    const batch = batchOf(batchTime);
    const seen = new Set<string>();
    for (const range of ranges) {
      const key = topicPartitionKey(range);
      const { fromOffset, untilOffset, topicId } = range;
      const stand = this.#stands.get(inputId)?.get(key);
      if (seen.has(key)) this.#tell(`${batch} has two ranges of ${key}`);
      seen.add(key);
      if (!(Number.isSafeInteger(fromOffset) && fromOffset >= 0 && fromOffset <= untilOffset))
        this.#tell(`${batch} reads ${key} from ${fromOffset} until ${untilOffset}`);
      if (stand === undefined) continue;
      if (stand.counted.until !== fromOffset)
        this.#tell(
          `${batch} reads ${key} from ${fromOffset}, not from ${stand.counted.until}, where it stands`,
        );
      if (stand.topicId !== undefined && stand.topicId !== topicId)
        this.#tell(`${batch} reads ${key} of another topic of that name`);
    }
  }

  #committed({ batchTime, epoch, metrics, state }: Recorded<'committed'>): void {
    const { pending } = this;
    this.counts.committed += 1;
    if (pending?.batchTime !== batchTime) {
      const planned = pending ? `${batchOf(pending.batchTime)} was planned` : 'none was planned';
      this.#tell(`${batchOf(batchTime)} is committed, and ${planned}`);
    } else {
      if (pending.epoch !== epoch) this.counts.resumed += 1;
      for (const { inputId, ranges } of pending.inputs)
        for (const range of ranges) {
          const { counted } = this.#standAt(inputId, { ...range, offset: range.fromOffset });
          counted.read += range.untilOffset - range.fromOffset;
          counted.until = range.untilOffset;
        }
    }
    if ([metrics.records, metrics.tasks, metrics.processingMs].some((n) => !Number.isFinite(n) || n < 0))
      this.#tell(`the metrics of ${batchOf(batchTime)} are no counts`);
    this.#sums.batches += 1;
    this.#sums.records += metrics.records;
    this.#sums.undecodable += metrics.undecodable ?? 0;
    this.#sums.deleted += metrics.deleted ?? 0;
    this.#sums.deadLetters += metrics.deadLetters ?? 0;
    if (state) this.#stateChanged(state, epoch, batchTime);
    this.firstBatchTime ??= batchTime;
    this.lastCommitted = batchTime;
    this.pending = undefined;
  }

  #stateChanged(changes: StateChanges, epoch: number, batchTime: number): void {
    const file = stateFileName(epoch, batchTime);
    for (const { name, partitions, heads } of changes.operators) {
      for (const { partition, head } of heads) {
        if (!(partition >= 0 && partition < partitions))
          this.#tell(
            `${batchOf(batchTime)} has state of partition ${partition} of "${name}", which has ${partitions}`,
          );
        if (head.file !== file)
          this.#tell(`${batchOf(batchTime)} names ${head.file} for state of "${name}", and wrote ${file}`);
      }
    }
    this.states = statesAfter(this.states, changes, batchTime);
  }

  #moved({ abandons, reason, inputs }: Recorded<'moved'>): void {
    this.counts.moves += 1;
    if (abandons !== this.pending?.batchTime)
      this.#tell(
        `offsets are moved: ${batchOf(abandons)} is given up, and planned is ${batchOf(this.pending?.batchTime)}`,
      );
    if (abandons !== undefined) {
      this.counts.givenUp += 1;
      this.lastCommitted = abandons;
    }
    this.pending = undefined;
    for (const { inputId, moves } of inputs) {
      for (const move of moves) {
        const { from, offset, topicId } = move;
        const key = topicPartitionKey(move);
        const known = this.#stands.get(inputId)?.get(key);
        if (known?.counted.until !== from)
          this.#tell(`${key} is moved from ${from}, and stands at ${known?.counted.until}`);
        if (reason === 'data-loss' && from !== undefined && offset < from)
          this.#tell(`${key} went back from ${from} to ${offset}, as if records had been lost`);
        const stand = known ?? this.#standAt(inputId, move);
        countMove(stand.counted, reason, move, stand.topicId !== undefined && stand.topicId !== topicId);
        stand.topicId = topicId;
      }
    }
  }

  #output({ prefix, tasks }: Recorded<'output'>): void {
    const before = this.#outputs.get(prefix) ?? 0;
    const written = this.pending?.outputs;
    const isNewToBatch = written !== undefined && !written.includes(prefix);
    if (tasks < before || (tasks === before && !isNewToBatch))
      this.#tell(`the output ${prefix} has ${tasks} tasks after ${before}`);
    this.#outputs.set(prefix, tasks);
    if (this.pending && isNewToBatch) this.pending = { ...this.pending, outputs: [...written, prefix] };
  }

  /** P2: a batch time means the same ranges for ever. */
  #remember(batchTime: number, inputs: readonly LoggedInput[]): void {
    const text = rangesText(inputs);
    const known = this.#plans.get(batchTime);
    if (known !== undefined && known !== text) this.#tell(`${batchOf(batchTime)} has two sets of ranges`);
    this.#plans.set(batchTime, text);
  }

  #standAt(
    inputId: number,
    position: Omit<LoggedPosition, 'leaderEpoch' | 'topicId'> & { readonly topicId?: string | undefined },
  ): Stand {
    const { topic, partition, offset, topicId } = position;
    const stands = this.#stands.get(inputId) ?? new Map<string, Stand>();
    this.#stands.set(inputId, stands);
    const key = topicPartitionKey(position);
    const known = stands.get(key);
    if (known) {
      known.counted.until = offset;
      known.topicId = topicId;
      return known;
    }
    const skipped = { request: 0, 'data-loss': 0 };
    const counted = {
      input: inputId,
      topic,
      partition,
      from: offset,
      until: offset,
      read: 0,
      skipped,
      repeated: 0,
    };
    const stand: Stand = { topicId, counted };
    stands.set(key, stand);
    return stand;
  }

  #tell(what: string): void {
    this.#findings.add(this.#where, what);
  }
}

function isEmpty({ lastCommitted, pending, positions, state, outputs, isAnew }: Recorded<'anchor'>): boolean {
  const isBegun = lastCommitted !== undefined || pending !== undefined || positions.length > 0;
  // What the log before it may have written to is known to one that begins anew.
  return !isBegun && (state?.size ?? 0) === 0 && (isAnew === true || (outputs?.size ?? 0) === 0);
}

function rangesText(inputs: readonly LoggedInput[]): string {
  return JSON.stringify(
    inputs.map(({ inputId, ranges }) => [
      inputId,
      ranges.map(({ topic, partition, fromOffset, untilOffset, topicId }) => [
        topic,
        partition,
        fromOffset,
        untilOffset,
        topicId ?? null,
      ]),
    ]),
  );
}

/** Without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function batchOf(batchTime: number | undefined): string {
  if (batchTime === undefined) return 'no batch';
  const date = new Date(batchTime);
  return `batch ${Number.isNaN(date.getTime()) ? batchTime : date.toISOString()}`;
}
