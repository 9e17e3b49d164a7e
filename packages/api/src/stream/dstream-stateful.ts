import { type Duration, MillraceError } from '@millrace/common';
import type { DStream, MapWithStateDStream } from '../dstream.ts';
import { checkElementFunction } from '../element-function.ts';
import { checkPartitioning, type Partitioning, partitioningFunctions } from '../partitioner.ts';
import { callerPlace, failingAt, placeOf } from '../place.ts';
import { RDD } from '../rdd.ts';
import type { InitialState, MigrateState } from '../state/state.ts';
import { checkStateVersion, StateSpec, timeoutMs, type UnnamedStateSpec } from '../state/state-spec.ts';
import { DStreamWindowed } from './dstream-windowed.ts';
import type { StatefulOperator, StatefulStreamNode } from './stream-node.ts';

export interface UpdateStateOptions<K, S> {
  /** What its state is found by, also by the next version of the job: it must not change, and no other operator of the job may have it. */
  readonly name: string;
  /** Default: as many as the stream's, at first; from then on as many as there are. Another number moves the state. */
  readonly partitions?: Partitioning<K>;
  /** Rows [key, state]: used when there is no state of this name yet, that is at most once. */
  readonly initialState?: InitialState<K, S>;
  /** Version of the state's form (default 0). State of another version goes through `migrate`, once. */
  readonly version?: number;
  readonly migrate?: MigrateState<K, S>;
}

/**
 * Operators that keep state from batch to batch, by key, on rows [key, value]. A batch that runs again begins with the state before it; however many
 * outputs stand on such a stream, a batch updates the state once, also when no output asks. State is kept in the application's log directory.
 */
export abstract class DStreamStateful<T> extends DStreamWindowed<T> {
  /**
   * [key, state] of all keys, every batch: f(values of the batch, state, key) → state, or undefined to forget the key. Visits all keys, also those
   * without values; see mapWithState for what touches only some.
   */
  updateStateByKey<K, V, S>(
    this: DStream<readonly [K, V]>,
    f: (values: V[], state: S | undefined, key: K) => S | undefined,
    options: UpdateStateOptions<K, S>,
  ): DStream<[K, S]> {
    const given = { ...options, function: f };
    return this.derived(this.statefulNode('updateStateByKey', 'update', given as unknown as Settings));
  }

  /** What the spec's function makes of each row [key, value] and the state of its key; see StateSpec and State. */
  mapWithState<K, V, S, M>(
    this: DStream<readonly [K, V]>,
    spec: StateSpec<K, V, S, M>,
  ): MapWithStateDStream<K, S, M> {
    const settings = failingAt(callerPlace(), () => settingsOf(spec));
    return this.withState(this.statefulNode('mapWithState', 'map', settings as unknown as Settings));
  }

  protected abstract withState<K, S, M>(node: StatefulStreamNode): MapWithStateDStream<K, S, M>;

  protected statefulNode(
    operation: string,
    mode: StatefulOperator['mode'],
    given: Settings,
  ): StatefulStreamNode {
    const { graph } = this;
    const { function: f, name, partitions, initialState, version, migrate, timeout } = given;
    const place = placeOf(f);
    // The function may be one of another file; what else is given stands in the call.
    const calledAt = callerPlace();
    graph.check(() => checkElementFunction(operation, f), place);
    for (const check of [
      () => checkStateVersion(operation, version),
      () => checkPartitioning(partitions),
      () => checkInitial(operation, initialState),
      () => {
        if (migrate !== undefined) checkElementFunction(`${operation}: migrate`, migrate);
      },
    ])
      graph.check(check, calledAt);
    const idle = timeout === undefined ? undefined : graph.check(() => timeoutMs(timeout), calledAt);
    const functions: StatefulOperator['functions'] = [
      { role: 'function', f },
      ...(migrate ? [{ role: 'migrate' as const, f: migrate }] : []),
    ];
    graph.addLambdas(
      operation,
      [...functions.map((each) => each.f), ...partitioningFunctions(partitions)],
      place,
    );
    const operator: StatefulOperator = {
      operation,
      name,
      mode,
      functions,
      partitions,
      initialState,
      version: version ?? 0,
      ...(idle === undefined ? {} : { timeoutMs: idle }),
    };
    const snapshots = { wanted: false };
    return graph.addStateful({ kind: 'stateful', parent: this.node, operator, snapshots, place }, calledAt);
  }
}

/** As callers without types may give them, too. */
interface Settings {
  readonly function: Function;
  readonly name: string;
  readonly partitions?: Partitioning<never>;
  readonly initialState?: RDD<unknown> | (() => RDD<unknown>);
  readonly version?: number;
  readonly migrate?: Function;
  readonly timeout?: Duration;
}

/** Callers without types give anything. */
function settingsOf<K, V, S, M>(
  spec: StateSpec<K, V, S, M> | UnnamedStateSpec<K, V, S, M>,
): StateSpec<K, V, S, M>['settings'] {
  if (spec instanceof StateSpec) return spec.settings;
  // What it lacks is told as that of any other stateful operator.
  if (typeof spec?.named === 'function') return spec.named('').settings;
  throw new MillraceError('JOB_INVALID', `mapWithState() needs a StateSpec, got ${typeof spec}`, {
    remedy: "Give it StateSpec.function(f).named('totals-per-user').",
  });
}

function checkInitial(operation: string, initial: unknown): void {
  if (initial === undefined || initial instanceof RDD || typeof initial === 'function') return;
  throw new MillraceError('JOB_INVALID', `${operation}(): the initial state is no RDD`, {
    remedy: 'Give rows [key, state]: ssc.parallelize([…]), or a function that makes the RDD.',
  });
}
