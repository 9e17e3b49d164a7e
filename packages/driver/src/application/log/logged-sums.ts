import type { AccumulatorChange } from '@millrace/api/internal';

/** What a batch left out, and where that went. */
export interface LeftOutCounts {
  /** Left out, because they do not decode. */
  readonly undecodable: number;
  /** Offsets that retention had deleted before they were read. */
  readonly deleted: number;
  /** Records that were written to dead-letter topics. */
  readonly deadLetters: number;
}

/** Over the batches that a log has committed since it counts them, whoever lives to tell of them. */
export interface LoggedSums extends LeftOutCounts {
  readonly batches: number;
  readonly records: number;
}

export const NO_SUMS: LoggedSums = { batches: 0, records: 0, undecodable: 0, deleted: 0, deadLetters: 0 };

/** One more batch. */
export function sumsAfter(
  sums: LoggedSums,
  batch: { readonly records: number } & Partial<LeftOutCounts>,
): LoggedSums {
  return plus(sums, { ...NO_SUMS, ...batch, batches: 1 });
}

export function plus(a: LoggedSums, b: LoggedSums): LoggedSums {
  return {
    batches: a.batches + b.batches,
    records: a.records + b.records,
    undecodable: a.undecodable + b.undecodable,
    deleted: a.deleted + b.deleted,
    deadLetters: a.deadLetters + b.deadLetters,
  };
}

export function minus(a: LoggedSums, b: LoggedSums): LoggedSums {
  return {
    batches: a.batches - b.batches,
    records: a.records - b.records,
    undecodable: a.undecodable - b.undecodable,
    deleted: a.deleted - b.deleted,
    deadLetters: a.deadLetters - b.deadLetters,
  };
}

/** Of all streams of a batch, by kind. What users count by such a name is theirs. */
export function leftOutOf(accumulators: readonly AccumulatorChange[]): LeftOutCounts {
  let { undecodable, deleted, deadLetters } = NO_SUMS;
  for (const { leftOut, added = 0 } of accumulators) {
    if (leftOut === 'undecodable') undecodable += added;
    else if (leftOut === 'deleted') deleted += added;
    else if (leftOut === 'dead-letters') deadLetters += added;
  }
  return { undecodable, deleted, deadLetters };
}
