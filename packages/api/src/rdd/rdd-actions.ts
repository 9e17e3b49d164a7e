import { deserialize } from 'node:v8';
import { isShippable } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import { decodeResult } from '../actions/index.ts';
import { canonicalKey } from '../canonical-key.ts';
import { checkElementFunction, mergeWith } from '../element-function.ts';
import type { ActionCall, ActionKind } from '../lineage/rdd-node.ts';
import { rowCount } from '../operator-numbers.ts';
import { callerPlace, placeOf } from '../place.ts';
import { plainZero } from '../plain-zero.ts';
import { rowOrder } from '../row-order.ts';
import type { Rows } from '../rows.ts';
import { RddBase } from './rdd-base.ts';

interface ActionRest {
  readonly numbers?: readonly number[];
  readonly value?: Uint8Array;
  /** Those to compute; absent: all. */
  readonly partitions?: readonly number[];
}

/** What runs a job. */
export abstract class RddActions<T> extends RddBase {
  /** All rows, in partition order. Mind the driver's memory: use take(n) to look. */
  async collect(): Promise<T[]> {
    return concatenated(await this.results<T[]>('collect'));
  }

  /** The first n rows in partition order. Reads one partition first, then four times as many, as Spark's take. */
  async take(n: number): Promise<T[]> {
    rowCount('take', n);
    const rows: T[] = [];
    const total = this.partitions;
    let next = 0;
    let batch = 1;
    while (rows.length < n && next < total) {
      const partitions = Array.from({ length: Math.min(batch, total - next) }, (_, index) => next + index);
      const parts = await this.results<T[]>('take', [], { numbers: [n - rows.length], partitions });
      // One by one: the arguments of a call are bounded by the stack.
      for (const part of parts) for (const row of part.slice(0, n - rows.length)) rows.push(row);
      next += partitions.length;
      batch *= 4;
    }
    return rows;
  }

  /** The first row. @throws MillraceError USER_CODE when there is none. */
  async first(): Promise<T> {
    const place = callerPlace();
    const rows = await this.take(1);
    if (rows.length === 0) throw empty('first', place);
    return rows[0] as T;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.take(1)).length === 0;
  }

  /** Number of rows: counted, not guessed from offsets. */
  async count(): Promise<number> {
    return (await this.results<number>('count')).reduce((sum, n) => sum + n, 0);
  }

  /** f over all rows; f must be associative. @throws MillraceError USER_CODE when there is no row. */
  async reduce(f: (a: T, b: T) => T): Promise<T> {
    const place = callerPlace();
    const merge = mergeWith('reduce', f);
    const parts = concatenated(await this.results<T[]>('reduce', [f]));
    if (parts.length === 0) throw empty('reduce', place);
    return parts.reduce((a, b) => merge(a, b));
  }

  /** As reduce, from `zero` in each partition and again when partitions are merged: zero must be neutral. */
  async fold(zero: T, f: (a: T, b: T) => T): Promise<T> {
    const merge = mergeWith('fold', f);
    const value = plainZero('fold and aggregate', zero);
    const parts = await this.results<T>('fold', [f], { value });
    return parts.reduce((a, b) => merge(a, b), deserialize(value) as T);
  }

  /** `sequence` folds the rows of a partition from `zero`; `combine` merges partitions, on the driver. */
  async aggregate<U>(zero: U, sequence: (acc: U, row: T) => U, combine: (a: U, b: U) => U): Promise<U> {
    const merge = mergeWith('aggregate', combine);
    const value = plainZero('fold and aggregate', zero);
    const parts = await this.results<U>('aggregate', [sequence], { value });
    return parts.reduce((a, b) => merge(a, b), deserialize(value) as U);
  }

  /** Calls f for each row, on the executors. */
  async foreach(f: (row: T) => void): Promise<void> {
    await this.results('foreach', [f]);
  }

  /** Calls f once a partition, on the executors; also for empty partitions. May be asynchronous. */
  async foreachPartition(f: (rows: Rows<T>) => void | Promise<void>): Promise<void> {
    const place = placeOf(f);
    const action = this.#actionCall('foreachPartition', [f], place, {});
    await this.runner.run({ node: this.node, action });
  }

  /** The n greatest rows, greatest first, by `compare` or the natural order of numbers, bigints, booleans, strings and Dates. */
  async top(n: number, compare?: (a: T, b: T) => number): Promise<T[]> {
    return this.#ordered(n, -1, compare);
  }

  /** The n smallest rows, smallest first, by `compare` or the natural order of numbers, bigints, booleans, strings and Dates. */
  async takeOrdered(n: number, compare?: (a: T, b: T) => number): Promise<T[]> {
    return this.#ordered(n, 1, compare);
  }

  /** How often each distinct row occurs. Rows that are equal as keys (deeply, −0 = 0, one NaN) are one entry. */
  async countByValue(): Promise<Map<T, number>> {
    const totals = new Map<string, [T, number]>();
    for (const [value, count] of concatenated(await this.results<[T, number][]>('countByValue'))) {
      const key = canonicalKey(value);
      const entry = totals.get(key);
      if (entry) entry[1] += count;
      else totals.set(key, [value, count]);
    }
    return new Map(totals.values());
  }

  async #ordered(n: number, direction: 1 | -1, compare: ((a: T, b: T) => number) | undefined): Promise<T[]> {
    rowCount(direction === 1 ? 'takeOrdered' : 'top', n);
    const functions = compare === undefined ? [] : [compare];
    const parts = await this.results<T[]>('takeOrdered', functions, { numbers: [n, direction] });
    return concatenated(parts).toSorted(rowOrder(direction, compare)).slice(0, n);
  }

  #action(
    kind: ActionKind,
    functions: readonly Function[],
    rest: Omit<ActionRest, 'partitions'>,
  ): ActionCall {
    for (const f of functions) checkElementFunction(kind, f);
    return this.#actionCall(
      kind,
      functions,
      functions[0] && isShippable(functions[0]) ? placeOf(functions[0]) : callerPlace(),
      rest,
    );
  }

  #actionCall(
    kind: ActionKind,
    functions: readonly Function[],
    place: string,
    rest: Omit<ActionRest, 'partitions'>,
  ): ActionCall {
    return {
      kind,
      functions: this.shipped(kind, functions),
      numbers: rest.numbers ?? [],
      ...(rest.value === undefined ? {} : { value: rest.value }),
      place,
    };
  }

  /** Decoded results of the partitions, all or those asked for, in order. */
  protected async results<R>(
    kind: ActionKind,
    functions: readonly Function[] = [],
    rest: ActionRest = {},
  ): Promise<R[]> {
    const { partitions, ...call } = rest;
    const action = this.#action(kind, functions, call);
    const job = { node: this.node, action, ...(partitions === undefined ? {} : { partitions }) };
    return (await this.runner.run(job)).map((bytes) => decodeResult(bytes) as R);
  }
}

/** Rows of the partitions, in partition order. */
function concatenated<R>(parts: readonly (readonly R[])[]): R[] {
  const all: R[] = [];
  for (const part of parts) for (const row of part) all.push(row);
  return all;
}

function empty(action: string, place: string): MillraceError {
  return new MillraceError('USER_CODE', `${action}() of an empty RDD`, {
    details: { place },
    retryable: false,
    remedy: 'Ask isEmpty() first, or use take(1) or fold().',
  });
}
