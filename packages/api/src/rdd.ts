import { deserialize, serialize } from 'node:v8';
import { HANDLE, isShippable } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { decodeResult } from './actions/index.ts';
import { canonicalKey } from './canonical-key.ts';
import { checkElementFunction, checkFunction, mergeWith } from './element-function.ts';
import type { JobRunner } from './lineage/job-runner.ts';
import {
  type ActionCall,
  type ActionKind,
  type OperatorKind,
  offsetRangesOf,
  partitionCount,
  type RddNode,
} from './lineage/rdd-node.ts';
import { mapAsyncNumbers, rowCount, sampleNumbers } from './operator-numbers.ts';
import { callerPlace, placeOf } from './place.ts';
import { checkPlainData } from './plain-data.ts';
import { rowOrder } from './row-order.ts';
import type { Rows, RowsResult } from './rows.ts';
import type { ShippedFunction } from './shipped-function.ts';

/**
 * A dataset in partitions: how it derives from Kafka ranges, not the records themselves. Transformations are lazy;
 * actions run a job on the executors. Lambdas are captured when they are given: later changes of a captured variable do not matter.
 */
export class RDD<T> {
  readonly #runner: JobRunner;
  /** Lineage. */
  readonly node: RddNode;
  /** A lambda that captures an RDD is refused: data cannot be nested. */
  readonly [HANDLE]: { readonly forbid: string; readonly fix: (name: string) => string } = {
    forbid: 'an RDD exists only on the driver; a lambda that runs on an executor cannot use it',
    fix: (name) =>
      `collect it before the lambda:  const rows = await ${name === '' ? 'rdd' : name}.collect()   and use rows inside`,
  };

  constructor(node: RddNode, runner: JobRunner) {
    this.node = node;
    this.#runner = runner;
  }

  /** The offset ranges below this dataset, in partition order of their sources: available at every stage. */
  get offsetRanges(): readonly OffsetRange[] {
    return offsetRangesOf(this.node);
  }

  /** Number of task partitions. */
  get partitions(): number {
    return partitionCount(this.node);
  }

  // transformations

  /** Each row → f(row). @throws MillraceError CLOSURE_* when the lambda cannot ship (so do all transformations). */
  map<U>(f: (row: T) => U): RDD<U> {
    return this.#element('map', f);
  }

  /** Each row → every item of f(row). */
  flatMap<U>(f: (row: T) => Iterable<U>): RDD<U> {
    return this.#element('flatMap', f);
  }

  /** The rows for which f is truthy. */
  filter<S extends T>(f: (row: T) => row is S): RDD<S>;
  filter(f: (row: T) => boolean): RDD<T>;
  filter(f: (row: T) => boolean): RDD<T> {
    return this.#element('filter', f);
  }

  /** The rows of each partition → the rows that f makes of them. May be asynchronous. */
  mapPartitions<U>(f: (rows: Rows<T>) => RowsResult<U>): RDD<U> {
    return this.#operator('mapPartitions', [f], [], placeOf(f));
  }

  /** As mapPartitions, with the index of the task partition. */
  mapPartitionsWithIndex<U>(f: (partition: number, rows: Rows<T>) => RowsResult<U>): RDD<U> {
    return this.#operator('mapPartitionsWithIndex', [f], [], placeOf(f));
  }

  /** Each row → await f(row), at most `concurrency` (default 16) at a time; order is kept. */
  mapAsync<U>(f: (row: T) => Promise<U> | U, options: { readonly concurrency?: number } = {}): RDD<U> {
    return this.#operator('mapAsync', [f], mapAsyncNumbers(options), placeOf(f));
  }

  /** Each partition as one array. */
  glom(): RDD<T[]> {
    return this.#operator('glom', [], [], callerPlace());
  }

  /** The partitions of this and then of the others. Nothing moves. */
  union(...others: readonly RDD<T>[]): RDD<T> {
    return new RDD(
      { kind: 'union', parents: [this.node, ...others.map((other) => other.node)] },
      this.#runner,
    );
  }

  /** Each row → [f(row), row]. */
  keyBy<K>(f: (row: T) => K): RDD<[K, T]> {
    return this.#element('keyBy', f);
  }

  /** [key, value] → [key, f(value)]. */
  mapValues<K, V, U>(this: RDD<readonly [K, V]>, f: (value: V) => U): RDD<[K, U]> {
    return this.#element('mapValues', f);
  }

  /** [key, value] → [key, each item of f(value)]. */
  flatMapValues<K, V, U>(this: RDD<readonly [K, V]>, f: (value: V) => Iterable<U>): RDD<[K, U]> {
    return this.#element('flatMapValues', f);
  }

  /**
   * A random part of the rows. Deterministic: a re-run of the batch samples the same rows.
   * `fraction`: without replacement the probability of each row, in [0, 1]; with it the expected count of each row, ≥ 0.
   */
  sample(withReplacement: boolean, fraction: number, seed = 0): RDD<T> {
    return this.#operator('sample', [], sampleNumbers(withReplacement, fraction, seed), callerPlace());
  }

  // actions

  /** All rows, in partition order. Mind the driver's memory: use take(n) to look. */
  async collect(): Promise<T[]> {
    return concatenated(await this.#results<T[]>('collect'));
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
      const call = this.#action('take', [], { numbers: [n - rows.length] });
      const results = await this.#runner.run({ node: this.node, action: call, partitions });
      // One by one: the arguments of a call are bounded by the stack.
      for (const bytes of results)
        for (const row of (decodeResult(bytes) as T[]).slice(0, n - rows.length)) rows.push(row);
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
    return (await this.#results<number>('count')).reduce((sum, n) => sum + n, 0);
  }

  /** f over all rows; f must be associative. @throws MillraceError USER_CODE when there is no row. */
  async reduce(f: (a: T, b: T) => T): Promise<T> {
    const place = callerPlace();
    const merge = mergeWith('reduce', f);
    const parts = concatenated(await this.#results<T[]>('reduce', [f]));
    if (parts.length === 0) throw empty('reduce', place);
    return parts.reduce((a, b) => merge(a, b));
  }

  /** As reduce, from `zero` in each partition and again when partitions are merged: zero must be neutral. */
  async fold(zero: T, f: (a: T, b: T) => T): Promise<T> {
    const merge = mergeWith('fold', f);
    const value = plainZero(zero);
    const parts = await this.#results<T>('fold', [f], { value });
    return parts.reduce((a, b) => merge(a, b), deserialize(value) as T);
  }

  /** `sequence` folds the rows of a partition from `zero`; `combine` merges partitions, on the driver. */
  async aggregate<U>(zero: U, sequence: (acc: U, row: T) => U, combine: (a: U, b: U) => U): Promise<U> {
    const merge = mergeWith('aggregate', combine);
    const value = plainZero(zero);
    const parts = await this.#results<U>('aggregate', [sequence], { value });
    return parts.reduce((a, b) => merge(a, b), deserialize(value) as U);
  }

  /** Calls f for each row, on the executors. */
  async foreach(f: (row: T) => void): Promise<void> {
    await this.#results('foreach', [f]);
  }

  /** Calls f once a partition, on the executors; also for empty partitions. May be asynchronous. */
  async foreachPartition(f: (rows: Rows<T>) => void | Promise<void>): Promise<void> {
    const place = placeOf(f);
    await this.#run(this.#actionCall('foreachPartition', [f], place, {}));
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
    for (const [value, count] of concatenated(await this.#results<[T, number][]>('countByValue'))) {
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
    const parts = await this.#results<T[]>('takeOrdered', functions, { numbers: [n, direction] });
    return concatenated(parts).toSorted(rowOrder(direction, compare)).slice(0, n);
  }

  #element<U>(kind: OperatorKind, f: Function): RDD<U> {
    checkElementFunction(kind, f);
    return this.#operator(kind, [f], [], placeOf(f));
  }

  #operator<U>(
    kind: OperatorKind,
    functions: readonly Function[],
    numbers: readonly number[],
    place: string,
  ): RDD<U> {
    const shipped = this.#ship(kind, functions);
    return new RDD<U>(
      { kind: 'operator', parent: this.node, operator: { kind, functions: shipped, numbers, place } },
      this.#runner,
    );
  }

  #action(
    kind: ActionKind,
    functions: readonly Function[],
    rest: { readonly numbers?: readonly number[]; readonly value?: Uint8Array },
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
    rest: { readonly numbers?: readonly number[]; readonly value?: Uint8Array },
  ): ActionCall {
    return {
      kind,
      functions: this.#ship(kind, functions),
      numbers: rest.numbers ?? [],
      ...(rest.value === undefined ? {} : { value: rest.value }),
      place,
    };
  }

  #ship(kind: OperatorKind | ActionKind, functions: readonly Function[]): readonly ShippedFunction[] {
    return functions.map((f) => {
      checkFunction(kind, f);
      return this.#runner.ship(f, kind);
    });
  }

  async #results<R>(
    kind: ActionKind,
    functions: readonly Function[] = [],
    rest: { readonly numbers?: readonly number[]; readonly value?: Uint8Array } = {},
  ): Promise<R[]> {
    return (await this.#run(this.#action(kind, functions, rest))).map((bytes) => decodeResult(bytes) as R);
  }

  async #run(action: ActionCall): Promise<readonly Uint8Array[]> {
    return this.#runner.run({ node: this.node, action });
  }
}

/** Rows of the partitions, in partition order. */
function concatenated<R>(parts: readonly (readonly R[])[]): R[] {
  const all: R[] = [];
  for (const part of parts) for (const row of part) all.push(row);
  return all;
}

function plainZero(zero: unknown): Uint8Array {
  const problem = checkPlainData(zero, 'the zero value');
  if (problem !== undefined) {
    throw new MillraceError(
      'JOB_INVALID',
      `the zero value of fold and aggregate must be plain data: ${problem}`,
    );
  }
  return serialize(zero);
}

function empty(action: string, place: string): MillraceError {
  return new MillraceError('USER_CODE', `${action}() of an empty RDD`, {
    details: { place },
    retryable: false,
    remedy: 'Ask isEmpty() first, or use take(1) or fold().',
  });
}
