import { $engine } from '@millrace/closures/runtime';
import { MillraceError } from '@millrace/common';
import { checkElementFunction } from './element-function.ts';
import { type PartitionerCall, partitionerOf } from './lineage/partitioner-call.ts';
import { partitionCount, type RddNode } from './lineage/rdd-node.ts';
import { callerPlace } from './place.ts';
import type { FunctionShipper } from './shipped-function.ts';

/** Rows go to partitions by the hash of their canonical key: the same on every machine and in every run. Spark's HashPartitioner. */
export class HashPartitioner {
  /** What else has a number of partitions is none. */
  readonly kind = 'hash';
  readonly partitions: number;

  /** @throws MillraceError JOB_INVALID unless `partitions` is an integer in [1, 100000]. */
  constructor(partitions: number) {
    this.partitions = checkedCount(partitions);
  }
}

/**
 * Your own rule. `partitionOf` runs on executors, as every lambda, and must give an integer in [0, partitions), always the same for equal keys.
 * Of a class it may be a method: what it uses of `this` travels with it.
 */
export interface Partitioner<K> {
  readonly partitions: number;
  readonly partitionOf: (key: K) => number;
}

/** A number of partitions is a HashPartitioner. */
export type Partitioning<K> = number | HashPartitioner | Partitioner<K>;

/** Task partitions of a shuffle: each map task leaves a block for each. */
const PARTITIONS_MAX = 100_000;

/** @throws MillraceError JOB_INVALID, ELEMENT_PROMISE. */
export function checkPartitioning(partitioning: Partitioning<never> | undefined): void {
  if (partitioning === undefined) return;
  checkedCount(isObject(partitioning) ? partitioning.partitions : partitioning);
  if (isOwn(partitioning)) checkElementFunction('partitionOf', partitioning.partitionOf);
}

/** What of it runs on executors. */
export function partitioningFunctions(partitioning: Partitioning<never> | undefined): readonly Function[] {
  return isOwn(partitioning) ? [shippedRule(partitioning)] : [];
}

/** One of each: where functions do not ship, as in embedded applications, a partitioner is known again by it. */
const rules = new WeakMap<Partitioner<never>, Function>();

/** Bound, so that a partitionOf method may use its partitioner's fields. */
function shippedRule(partitioner: Partitioner<never>): Function {
  const rule = rules.get(partitioner) ?? ($engine.b(partitioner.partitionOf, [partitioner]) as Function);
  rules.set(partitioner, rule);
  return rule;
}

function isOwn<K>(partitioning: Partitioning<K> | undefined): partitioning is Partitioner<K> {
  return isObject(partitioning) && !(partitioning instanceof HashPartitioner);
}

/** Callers without types give anything. */
function isObject<K>(
  partitioning: Partitioning<K> | undefined,
): partitioning is HashPartitioner | Partitioner<K> {
  return typeof partitioning === 'object' && partitioning !== null;
}

/** As it travels; absent: `defaultPartitioner`. @throws as checkPartitioning, and as `ship`. */
export function partitionerCall(
  partitioning: Partitioning<never> | undefined,
  parents: readonly RddNode[],
  ship: FunctionShipper,
): PartitionerCall {
  if (partitioning === undefined) return defaultPartitioner(parents);
  checkPartitioning(partitioning);
  if (typeof partitioning === 'number') return { kind: 'hash', partitions: partitioning };
  const { partitions } = partitioning;
  return isOwn(partitioning)
    ? { kind: 'custom', partitions, function: ship(shippedRule(partitioning), 'partitionOf') }
    : { kind: 'hash', partitions };
}

/**
 * Spark's rule (Partitioner.defaultPartitioner): that of the parent with most partitions that has one, unless it has fewer than a tenth of the
 * partitions of the largest parent; else by hash, with as many partitions as the largest parent.
 */
export function defaultPartitioner(parents: readonly RddNode[]): PartitionerCall {
  const partitions = Math.max(1, ...parents.map(partitionCount));
  const known = parents
    .map(partitionerOf)
    .filter((partitioner) => partitioner !== undefined)
    .reduce<PartitionerCall | undefined>(
      (most, next) => (most === undefined || next.partitions > most.partitions ? next : most),
      undefined,
    );
  return known !== undefined && known.partitions * 10 > partitions ? known : { kind: 'hash', partitions };
}

function checkedCount(partitions: unknown): number {
  if (Number.isInteger(partitions) && (partitions as number) >= 1 && (partitions as number) <= PARTITIONS_MAX)
    return partitions as number;
  throw new MillraceError('JOB_INVALID', `the number of partitions cannot be ${String(partitions)}`, {
    remedy: `Give an integer in [1, ${PARTITIONS_MAX}], a HashPartitioner, or { partitions, partitionOf }.`,
    details: { place: callerPlace() },
  });
}
