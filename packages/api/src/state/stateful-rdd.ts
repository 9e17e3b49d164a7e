import type { JobRunner } from '../lineage/job-runner.ts';
import type { RddNode } from '../lineage/rdd-node.ts';
import { type KeptState, type StateCall, type StatefulNode, stateLayout } from '../lineage/stateful-node.ts';
import type { Partitioning } from '../partitioner.ts';
import { ShufflePlan } from '../rdd/shuffle-plan.ts';
import type { BatchTime, StatefulStreamNode } from '../stream/stream-node.ts';

/** Of updateStateByKey and mapWithState, which keep a value a key: one may become the other. */
export const KEYED_SHAPE = 'keyed';

/** What a batch's RDD of updateStateByKey or mapWithState is, of the parent's RDD. `kept`: the state before the batch; `program`: see BatchRdds. */
export function statefulRdd(
  { operator, snapshots, place }: StatefulStreamNode,
  parent: RddNode,
  batchTime: BatchTime,
  runner: Pick<JobRunner, 'ship'>,
  { kept, program }: { readonly kept: KeptState | undefined; readonly program: string },
): StatefulNode {
  const { name, mode, functions, partitions, initialState, timeoutMs, version } = operator;
  const plan = new ShufflePlan(place, runner.ship);
  const partitioner = statePartitioner(plan, partitions, [parent], kept);
  const moved = plan.moved(parent, partitioner);
  const given = kept === undefined ? initialState : undefined;
  const initial = typeof given === 'function' ? given() : given;
  const rows = initial
    ? plan.merged('cogroup', [plan.moved(initial.node, partitioner), moved])
    : mode === 'update'
      ? plan.operator(moved, 'group')
      : moved;
  const call: StateCall = {
    name,
    mode,
    shape: KEYED_SHAPE,
    partitioner,
    layout: stateLayout(partitioner, program),
    functions: functions.map(({ role, f }) => ({ role, function: runner.ship(f, name) })),
    valueVersion: version,
    batchTime,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    snapshots: snapshots.wanted,
    initial: initial !== undefined,
    kept,
  };
  return { kind: 'stateful', parent: rows, call, place };
}

/** A window by what left it and what entered it: rows [key, value], values of a key reduced already. */
export interface WindowState {
  readonly name: string;
  /** Of the window, its slide, the batch interval and the program: a window of another one begins anew. */
  readonly shape: string;
  readonly left: readonly RddNode[];
  readonly entered: readonly RddNode[];
  readonly reduce: Function;
  readonly inverse: Function;
  readonly partitions: Partitioning<never> | undefined;
  /** The state that `left` and `entered` are meant for: `runner.stateOf(name)`, unless its shape is another one. */
  readonly kept: KeptState | undefined;
  readonly batchTime: BatchTime;
  readonly program: string;
}

/** The rows [key, value] of the window, once a batch: what is kept of it moves on with the batch. */
export function windowStateRdd(window: WindowState, plan: ShufflePlan): StatefulNode {
  const { name, shape, left, entered, reduce, inverse, partitions, kept, batchTime, program } = window;
  const parents = [...left, ...entered];
  const partitioner = statePartitioner(plan, partitions, parents, kept);
  const functions: StateCall['functions'] = [
    ...plan.shipped(name, reduce).map((shipped) => ({ role: 'function' as const, function: shipped })),
    ...plan.shipped(name, inverse).map((shipped) => ({ role: 'inverse' as const, function: shipped })),
  ];
  const call: StateCall = {
    name,
    mode: 'window',
    shape,
    partitioner,
    layout: stateLayout(partitioner, program),
    functions,
    valueVersion: 0,
    batchTime,
    snapshots: false,
    initial: false,
    left: left.length,
    kept,
  };
  const rows: RddNode =
    parents.length === 0
      ? { kind: 'rows', partitions: Array.from({ length: partitioner.partitions }, () => []) }
      : plan.merged(
          'cogroup',
          parents.map((parent) => plan.moved(parent, partitioner)),
        );
  return { kind: 'stateful', parent: rows, call, place: plan.place };
}

/** As the user wants it; else as it is kept; else as many partitions as there are. Never by a range: state is found by its key alone. */
function statePartitioner(
  plan: ShufflePlan,
  partitions: Partitioning<never> | undefined,
  parents: readonly RddNode[],
  kept: KeptState | undefined,
): StateCall['partitioner'] {
  const wanted = partitions ?? kept?.partitions ?? plan.partitioner(undefined, parents).partitions;
  return plan.partitioner(wanted, parents) as StateCall['partitioner'];
}
