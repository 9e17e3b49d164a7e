import { HANDLE } from '@millrace/closures';
import { checkElementFunction, checkFunction } from './element-function.ts';
import type { OperatorKind } from './lineage/rdd-node.ts';
import { mapAsyncNumbers, rowCount, sampleNumbers } from './operator-numbers.ts';
import { callerPlace, placeOf } from './place.ts';
import type { RDD } from './rdd.ts';
import type { Rows, RowsResult } from './rows.ts';
import type { GraphBuilder } from './stream/graph-builder.ts';
import type { BatchTime, StreamNode } from './stream/stream-node.ts';

/**
 * A stream of RDDs, one a batch. Lambdas given here are checked at once and captured anew when each batch's jobs are made,
 * so a variable that the driver updates is seen by the next batch.
 */
export class DStream<T> {
  readonly #graph: GraphBuilder;
  /** Lineage. */
  readonly node: StreamNode;
  /** A lambda that captures a DStream is refused. */
  readonly [HANDLE]: { readonly forbid: string; readonly fix: (name: string) => string } = {
    forbid: 'a DStream exists only on the driver; a lambda that runs on an executor cannot use it',
    fix: (name) =>
      `use the rows that the lambda is given instead of \`${name === '' ? 'the stream' : name}\``,
  };

  constructor(node: StreamNode, graph: GraphBuilder) {
    this.node = node;
    this.#graph = graph;
  }

  /** Each row → f(row). */
  map<U>(f: (row: T) => U): DStream<U> {
    return this.#element('map', f);
  }

  /** Each row → every item of f(row). */
  flatMap<U>(f: (row: T) => Iterable<U>): DStream<U> {
    return this.#element('flatMap', f);
  }

  /** The rows for which f is truthy. */
  filter<S extends T>(f: (row: T) => row is S): DStream<S>;
  filter(f: (row: T) => boolean): DStream<T>;
  filter(f: (row: T) => boolean): DStream<T> {
    return this.#element('filter', f);
  }

  /** The rows of each partition → the rows that f makes of them. May be asynchronous. */
  mapPartitions<U>(f: (rows: Rows<T>) => RowsResult<U>): DStream<U> {
    return this.#operator('mapPartitions', [f], [], placeOf(f));
  }

  /** As mapPartitions, with the index of the task partition. */
  mapPartitionsWithIndex<U>(f: (partition: number, rows: Rows<T>) => RowsResult<U>): DStream<U> {
    return this.#operator('mapPartitionsWithIndex', [f], [], placeOf(f));
  }

  /** Each row → await f(row), at most `concurrency` (default 16) at a time; order is kept. */
  mapAsync<U>(f: (row: T) => Promise<U> | U, options: { readonly concurrency?: number } = {}): DStream<U> {
    const numbers = this.#checked(() => mapAsyncNumbers(options));
    return this.#operator('mapAsync', [f], numbers, placeOf(f));
  }

  /** Each partition as one array. */
  glom(): DStream<T[]> {
    return this.#operator('glom', [], [], callerPlace());
  }

  /** The partitions of this and then of the others, batch by batch. */
  union(...others: readonly DStream<T>[]): DStream<T> {
    return new DStream(
      { kind: 'union', parents: [this.node, ...others.map((other) => other.node)] },
      this.#graph,
    );
  }

  /** Each row → [f(row), row]. */
  keyBy<K>(f: (row: T) => K): DStream<[K, T]> {
    return this.#element('keyBy', f);
  }

  /** [key, value] → [key, f(value)]. */
  mapValues<K, V, U>(this: DStream<readonly [K, V]>, f: (value: V) => U): DStream<[K, U]> {
    return this.#element('mapValues', f);
  }

  /** [key, value] → [key, each item of f(value)]. */
  flatMapValues<K, V, U>(this: DStream<readonly [K, V]>, f: (value: V) => Iterable<U>): DStream<[K, U]> {
    return this.#element('flatMapValues', f);
  }

  /** A random part of the rows of each batch; a re-run of a batch samples the same rows. See RDD.sample. */
  sample(withReplacement: boolean, fraction: number, seed = 0): DStream<T> {
    const numbers = this.#checked(() => sampleNumbers(withReplacement, fraction, seed));
    return this.#operator('sample', [], numbers, callerPlace());
  }

  /** Each batch's RDD → f(rdd, time), on the driver, once a batch. */
  transform<U>(f: (rdd: RDD<T>, time: BatchTime) => RDD<U> | Promise<RDD<U>>): DStream<U> {
    this.#graph.check(() => checkFunction('transform', f), callerPlace());
    return new DStream<U>(
      {
        kind: 'transform',
        parents: [this.node],
        make: (rdds, time) => f(rdds[0] as RDD<T>, time),
        place: placeOf(f),
      },
      this.#graph,
    );
  }

  // output operations

  /** Calls f with each batch's RDD, on the driver; also for empty batches. */
  foreachRDD(f: (rdd: RDD<T>, time: BatchTime) => void | Promise<void>): void {
    this.#graph.check(() => checkFunction('foreachRDD', f), callerPlace());
    this.#graph.addOutput(
      'foreachRDD',
      this.node,
      f as (rdd: RDD<unknown>, time: BatchTime) => void | Promise<void>,
      placeOf(f),
    );
  }

  /** Prints the first n rows (default 10) of each batch. */
  print(n = 10): void {
    this.#checked(() => [rowCount('print', n)]);
    const graph = this.#graph;
    const run = async (rdd: RDD<unknown>, time: BatchTime): Promise<void> => {
      const rows = await rdd.take(n + 1);
      const lines = rows.slice(0, n).map((row) => graph.show(row));
      if (rows.length > n) lines.push('…');
      graph.print(
        `--- ${new Date(time).toISOString()} ---\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`,
      );
    };
    this.#graph.addOutput('print', this.node, run, callerPlace());
  }

  /** Wrong ones become problems of the job; they never run. */
  #checked(numbers: () => readonly number[]): readonly number[] {
    let checked: readonly number[] = [];
    this.#graph.check(() => {
      checked = numbers();
    }, callerPlace());
    return checked;
  }

  #element<U>(kind: OperatorKind, f: Function): DStream<U> {
    if (typeof f === 'function') this.#graph.check(() => checkElementFunction(kind, f), callerPlace());
    return this.#operator(kind, [f], [], placeOf(f));
  }

  #operator<U>(
    kind: OperatorKind,
    functions: readonly Function[],
    numbers: readonly number[],
    place: string,
  ): DStream<U> {
    for (const f of functions) this.#graph.check(() => checkFunction(kind, f), callerPlace());
    const operator = { kind, functions, numbers, place };
    this.#graph.addOperator(operator);
    return new DStream<U>({ kind: 'operator', parent: this.node, operator }, this.#graph);
  }
}
