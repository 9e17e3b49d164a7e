import type { ShippedFunction } from '../shipped-function.ts';
import type { MergeNode, OperatorKind, RddNode } from './rdd-node.ts';

/** Which partition of a shuffle a row belongs to. `partitions` ≥ 1. */
export type PartitionerCall =
  /** By the hash of the canonical key. */
  | { readonly kind: 'hash'; readonly partitions: number }
  | RangePartitionerCall
  /** function: (key) => index. */
  | { readonly kind: 'custom'; readonly partitions: number; readonly function: ShippedFunction }
  /** Keys do not matter: row i of map partition m goes to (start(m) + i) % partitions. */
  | { readonly kind: 'roundRobin'; readonly partitions: number };

/** See `rangeIndex`. partitions = bounds + 1. */
export interface RangePartitionerCall {
  readonly kind: 'range';
  readonly partitions: number;
  /** v8-serialized array of keys, ascending whatever the direction. */
  readonly bounds: Uint8Array;
  readonly direction: 1 | -1;
  /** compare: (a, b) => number; absent: the natural order. */
  readonly function?: ShippedFunction;
}

/** Whether rows of equal keys are in partitions of one index under both. Round robin is like nothing, not even itself. */
export function samePartitioner(a: PartitionerCall, b: PartitionerCall): boolean {
  if (a.kind !== b.kind || a.partitions !== b.partitions) return false;
  if (a.kind === 'hash') return true;
  if (a.kind === 'custom' && b.kind === 'custom') return a.function.hash === b.function.hash;
  if (a.kind === 'range' && b.kind === 'range') {
    return (
      a.direction === b.direction &&
      a.function?.hash === b.function?.hash &&
      Buffer.compare(a.bounds, b.bounds) === 0
    );
  }
  return false;
}

/** Operators after which a row [key, value] still has its key, and stands where it stood. */
const KEEPS_KEYS: ReadonlySet<OperatorKind> = new Set([
  'filter',
  'mapValues',
  'flatMapValues',
  'sample',
  'combine',
  'mergeCombiners',
  'group',
  'sortRows',
  'joinRows',
  'subtractRows',
]);

/** How the rows [key, value] of a dataset are partitioned by key; undefined when they are not, or nobody knows. */
export function partitionerOf(dataset: RddNode): PartitionerCall | undefined {
  let node = dataset;
  for (;;) {
    if (node.kind === 'operator' && KEEPS_KEYS.has(node.operator.kind)) node = node.parent;
    else if (node.kind === 'persisted') node = node.parent;
    // Its parents are partitioned alike.
    else if (node.kind === 'merge' && node.how === 'cogroup') node = node.parents[0] as RddNode;
    else break;
  }
  if (node.kind === 'merge' && node.how === 'concat') return concatPartitioner(node);
  if (node.kind === 'cut') return node.partitioner;
  if (node.kind === 'stateSnapshots') return node.of.call.partitioner;
  // What mapWithState makes of a row may be anything.
  if (node.kind === 'stateful') return node.call.mode === 'map' ? undefined : node.call.partitioner;
  return node.kind === 'shuffle' && node.partitioner.kind !== 'roundRobin' ? node.partitioner : undefined;
}

/** Lineage never changes, and may be a net of many paths. */
const concatPartitioners = new WeakMap<MergeNode, { readonly partitioner: PartitionerCall | undefined }>();

/** That of all parents, when it is the same. */
function concatPartitioner(node: MergeNode): PartitionerCall | undefined {
  const known = concatPartitioners.get(node);
  if (known) return known.partitioner;
  const [first, ...rest] = [...new Set(node.parents)].map(partitionerOf);
  const isSame = first !== undefined && rest.every((other) => other && samePartitioner(first, other));
  const partitioner = isSame ? first : undefined;
  concatPartitioners.set(node, { partitioner });
  return partitioner;
}
