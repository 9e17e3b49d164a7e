import { checkFunction } from './element-function.ts';
import { rowCount } from './operator-numbers.ts';
import { callerPlace, placeOf } from './place.ts';
import type { RDD } from './rdd.ts';
import { DStreamStateful } from './stream/dstream-stateful.ts';
import type { BatchTime, StatefulStreamNode, StreamNode } from './stream/stream-node.ts';

/**
 * A stream of RDDs, one a batch. Lambdas given here are checked at once and captured anew when each batch's jobs are made,
 * so a variable that the driver updates is seen by the next batch.
 */
export class DStream<T> extends DStreamStateful<T> {
  /** Each batch's RDD → f(rdd, time), on the driver, once a batch. */
  transform<U>(f: (rdd: RDD<T>, time: BatchTime) => RDD<U> | Promise<RDD<U>>): DStream<U> {
    this.graph.check(() => checkFunction('transform', f), callerPlace());
    return this.derived({
      kind: 'transform',
      parents: [this.node],
      make: ([rdd], time) => f(rdd as RDD<T>, time),
      place: placeOf(f),
    });
  }

  /** Each batch's RDD and that of `other` → f(rdd, otherRdd, time), on the driver, once a batch. */
  transformWith<U, V>(
    other: DStream<U>,
    f: (rdd: RDD<T>, other: RDD<U>, time: BatchTime) => RDD<V> | Promise<RDD<V>>,
  ): DStream<V> {
    this.graph.check(() => checkFunction('transformWith', f), callerPlace());
    this.graph.checkSlides('transformWith', [this.node, other.node], callerPlace());
    return this.derived({
      kind: 'transform',
      parents: [this.node, other.node],
      make: ([rdd, otherRdd], time) => f(rdd as RDD<T>, otherRdd as RDD<U>, time),
      place: placeOf(f),
    });
  }

  // output operations

  /** Calls f with each batch's RDD, on the driver; also for empty batches. */
  foreachRDD(f: (rdd: RDD<T>, time: BatchTime) => void | Promise<void>): void {
    this.graph.check(() => checkFunction('foreachRDD', f), callerPlace());
    this.graph.addOutput(
      'foreachRDD',
      this.node,
      f as (rdd: RDD<unknown>, time: BatchTime) => void | Promise<void>,
      placeOf(f),
    );
  }

  /** Prints the first n rows (default 10) of each batch. */
  print(n = 10): void {
    this.checked(() => [rowCount('print', n)]);
    const graph = this.graph;
    const run = async (rdd: RDD<unknown>, time: BatchTime): Promise<void> => {
      const rows = await rdd.take(n + 1);
      const lines = rows.slice(0, n).map((row) => graph.show(row));
      if (rows.length > n) lines.push('…');
      graph.print(
        `--- ${new Date(time).toISOString()} ---\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`,
      );
    };
    this.graph.addOutput('print', this.node, run, callerPlace(), { guarantee: 'at-least-once' });
  }

  protected override derived<U>(node: StreamNode): DStream<U> {
    return new DStream<U>(node, this.graph);
  }

  protected override withState<K, S, M>(node: StatefulStreamNode): MapWithStateDStream<K, S, M> {
    return new MapWithStateDStream<K, S, M>(node, this.graph);
  }
}

/** The rows that mapWithState makes. */
export class MapWithStateDStream<K, S, T> extends DStream<T> {
  /** [key, state] of all keys, after each batch. Costs in proportion to the state, not to what was touched. */
  stateSnapshots(): DStream<[K, S]> {
    const parent = this.node as StatefulStreamNode;
    this.graph.addSnapshots(parent);
    return this.derived({ kind: 'state-snapshots', parent });
  }
}
