import { invariant } from '@millrace/common';
import { compareTopicPartitions, type TopicPartition } from '@millrace/kafka';
import type { LoggedRange } from '../log/log-record.ts';

/** What is known of one partition when a batch is planned. */
export interface PartitionOffsets extends TopicPartition {
  /** First offset that no batch has planned. */
  readonly position: number;
  /** Exclusive end of what may be read; never below `position`. */
  readonly latest: number;
  readonly topicId: string | undefined;
  /** Known where it stands: see TrackedPartition. */
  readonly leaderEpoch: number;
  /** Of the leader that told of `latest`; −1: unknown. */
  readonly latestEpoch: number;
}

/** Limits of one batch of one stream. Infinity: no limit. */
export interface BatchLimits {
  /** Records a second of one partition. */
  readonly maxRatePerPartition: number;
  /** Records of the batch over all partitions. */
  readonly maxRecordsPerBatch: number;
  /** Records that a partition with lag is always allowed. */
  readonly minRecordsPerPartitionPerBatch: number;
  /** Time that the batch stands for in ms, already capped: see `creditedMs`. */
  readonly elapsedMs: number;
  /** Number of the batch: takes turns when there are more partitions with lag than records allowed. */
  readonly number: number;
}

const CREDITED_INTERVALS_MAX = 10;
const CREDITED_MS_MIN = 1_000;

/**
 * The time for which a batch may read at its maximum rate. Coalesced intervals count, but only so many: the first batch after
 * an outage is bounded like any other.
 */
export function creditedMs(intervals: number, intervalMs: number): number {
  return Math.min(intervals * intervalMs, Math.max(CREDITED_INTERVALS_MAX * intervalMs, CREDITED_MS_MIN));
}

/**
 * Cuts the offset ranges of one batch, sorted by topic and partition, empty ones included. A partition is limited by rate;
 * then the batch's records are shared in proportion to lag (SPARK-12073), by largest remainder, so that nothing is lost to
 * rounding. No partition starves: each with lag gets its minimum, by turns when the batch is too small for all of them.
 */
export function planOffsets(
  partitions: readonly PartitionOffsets[],
  limits: BatchLimits,
): readonly LoggedRange[] {
  const sorted = partitions.toSorted(compareTopicPartitions);
  const minimum = Math.max(1, Math.floor(limits.minRecordsPerPartitionPerBatch));
  const rated = Math.max(minimum, Math.floor((limits.maxRatePerPartition * limits.elapsedMs) / 1000));
  const lags = sorted.map(({ latest, position }) => latest - position);
  const wanted = lags.map((lag) => Math.min(lag, rated));
  const allowed = shareRecords(wanted, lags, minimum, limits);
  return sorted.map((partition, index) => {
    const { topic, position, latest, topicId, leaderEpoch, latestEpoch } = partition;
    const untilOffset = position + (allowed[index] ?? 0);
    invariant(
      position <= untilOffset && untilOffset <= latest,
      `range [${position}, ${untilOffset}) of ${topic}-${partition.partition} ends in [from, ${latest}]`,
    );
    // Of what was read up to here some may be gone, and the leader that told of the end may be the one that lacks it: where nothing is read,
    // nobody finds out, and what was known before is still what counts.
    const untilEpoch = untilOffset > position ? latestEpoch : leaderEpoch;
    return {
      topic,
      partition: partition.partition,
      fromOffset: position,
      untilOffset,
      ...(topicId === undefined ? {} : { topicId }),
      // Who has all before the end has all before the beginning.
      leaderEpoch: leaderEpoch === -1 ? untilEpoch : leaderEpoch,
      untilEpoch,
    };
  });
}

function shareRecords(
  wanted: readonly number[],
  lags: readonly number[],
  minimum: number,
  limits: BatchLimits,
): readonly number[] {
  const cap = Math.max(1, Math.floor(limits.maxRecordsPerBatch));
  if (sum(wanted) <= cap) return wanted;
  const floors = wanted.map((records) => Math.min(records, minimum));
  if (sum(floors) > cap) return takeTurns(floors, cap, limits.number);
  return fillByLag(wanted, lags, floors, cap - sum(floors));
}

/** Gives out `cap` records in order of partition, beginning elsewhere each batch. */
function takeTurns(floors: readonly number[], cap: number, batchNumber: number): readonly number[] {
  const lagging = floors.flatMap((floor, index) => (floor > 0 ? [index] : []));
  const given = floors.map(() => 0);
  // How many partitions one batch serves: the next one begins where this one ended.
  const served = Math.max(1, Math.floor(cap / Math.max(...floors)));
  let left = cap;
  for (let turn = 0; turn < lagging.length && left > 0; turn++) {
    const index = lagging[(batchNumber * served + turn) % lagging.length] ?? 0;
    const records = Math.min(floors[index] ?? 0, left);
    given[index] = records;
    left -= records;
  }
  return given;
}

/** Adds `left` records to `floors` in proportion to lag, never above `wanted`; what one partition cannot take goes to the others. */
function fillByLag(
  wanted: readonly number[],
  lags: readonly number[],
  floors: readonly number[],
  left: number,
): readonly number[] {
  const given = [...floors];
  let open = indices(wanted.length).filter((index) => (wanted[index] ?? 0) > (given[index] ?? 0));
  let rest = left;
  while (rest > 0 && open.length > 0) {
    const total = sum(open.map((index) => lags[index] ?? 0));
    const shares = open.map((index) => ({ index, share: rest * ((lags[index] ?? 0) / total) }));
    const full = shares.filter(({ index, share }) => share >= (wanted[index] ?? 0) - (given[index] ?? 0));
    if (full.length === 0) {
      for (const { index, records } of largestRemainder(shares, rest))
        given[index] = (given[index] ?? 0) + records;
      return given;
    }
    for (const { index } of full) {
      rest -= Math.min(rest, (wanted[index] ?? 0) - (given[index] ?? 0));
      given[index] = wanted[index] ?? 0;
    }
    const filled = new Set(full.map(({ index }) => index));
    open = open.filter((index) => !filled.has(index));
  }
  return given;
}

interface Share {
  readonly index: number;
  readonly share: number;
}

function largestRemainder(shares: readonly Share[], total: number): { index: number; records: number }[] {
  const rounded = shares.map(({ index, share }) => ({ index, records: Math.floor(share), rest: share % 1 }));
  let left = total - sum(rounded.map(({ records }) => records));
  const byRest = rounded.toSorted((a, b) => b.rest - a.rest || a.index - b.index);
  for (const entry of byRest) {
    if (left <= 0) break;
    entry.records += 1;
    left -= 1;
  }
  // A share just below an integer may have been computed as that integer: the total is what counts.
  for (const entry of byRest.toReversed()) {
    if (left >= 0) break;
    if (entry.records > 0) {
      entry.records -= 1;
      left += 1;
    }
  }
  return rounded;
}

function indices(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
