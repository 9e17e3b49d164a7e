import type { RDD } from '../rdd.ts';
import type { BatchTime } from '../stream/stream-node.ts';

/**
 * The state of one key, within one call of mapWithState's function; kept longer, it is of no use. An object that `get` gives may be changed in
 * place: that is an update. Values are plain data (objects, arrays, Maps, Sets, Dates, bytes), as all that leaves a task.
 */
export interface State<S> {
  /** The key has state: kept from an earlier batch, or given to `update` earlier in this one. */
  exists(): boolean;
  /** @throws MillraceError STATE_MISUSED when there is none. */
  get(): S;
  /** undefined: there is none. */
  getOption(): S | undefined;
  /** @throws MillraceError STATE_MISUSED after `remove`, when the key is timing out, and for undefined. */
  update(state: S): void;
  /** @throws MillraceError STATE_MISUSED when it was removed already, or the key is timing out. */
  remove(): void;
  /** The key was idle for the timeout: this is its last call, without a value, and its state goes. */
  isTimingOut(): boolean;
}

/**
 * What mapWithState does with a row [key, value]: gives a row, or undefined for none. `value` is undefined when the key is timing out (or when
 * the row's is). `time`: of the batch.
 */
export type StateFunction<K, V, S, T> = (
  key: K,
  value: V | undefined,
  state: State<S>,
  time: BatchTime,
) => T | undefined;

/** Rows [key, state]; a function of them, when more than `ssc.parallelize` or `ssc.kafka.createRDD` makes them: it is called on the driver, in the first batch. */
export type InitialState<K, S> = RDD<readonly [K, S]> | (() => RDD<readonly [K, S]>);

/** How state that an earlier version of the job wrote becomes what this one expects. `version`: the earlier one. */
export type MigrateState<K, S> = (state: unknown, version: number, key: K) => S;
