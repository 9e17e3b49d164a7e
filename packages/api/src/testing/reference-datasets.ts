import { deserialize, serialize } from 'node:v8';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { hashPartition } from '../key-hash.ts';
import { KeyMap } from '../key-map.ts';
import type { PartitionerCall } from '../lineage/partitioner-call.ts';
import { rangeIndex } from '../lineage/range-index.ts';
import {
  type MergeNode,
  type PersistedNode,
  partitionCount,
  type RddNode,
  type ShuffleNode,
} from '../lineage/rdd-node.ts';
import { operate } from './reference-fragments.ts';
import type { ReferenceFunctions } from './reference-functions.ts';
import type { ReferenceState } from './reference-state.ts';

type Rows = readonly unknown[];
type Pair = readonly [unknown, unknown];

/** The records of a range. */
export type ReadRange = (range: OffsetRange) => Rows;

/** Persisted datasets, serialized: each reader has rows of its own. */
export class KeptRows {
  readonly rows = new Map<PersistedNode, Uint8Array>();
  readonly released = new WeakSet<PersistedNode>();

  release(node: PersistedNode): void {
    this.released.add(node);
    this.rows.delete(node);
  }
}

/** The partitions of the datasets of one job; each dataset is computed once. */
export class Evaluation {
  movedRows = 0;
  readonly #functions: ReferenceFunctions;
  readonly #read: ReadRange;
  readonly #kept: KeptRows;
  readonly #state: ReferenceState;
  readonly #made = new Map<RddNode, Promise<readonly Rows[]>>();

  constructor(functions: ReferenceFunctions, read: ReadRange, kept: KeptRows, state: ReferenceState) {
    this.#state = state;
    this.#functions = functions;
    this.#read = read;
    this.#kept = kept;
  }

  partitions(node: RddNode): Promise<readonly Rows[]> {
    const made = this.#made.get(node) ?? this.#partitions(node);
    this.#made.set(node, made);
    return made;
  }

  async #partitions(node: RddNode): Promise<readonly Rows[]> {
    switch (node.kind) {
      case 'kafka':
        return node.ranges.map((range) => this.#read(range));
      case 'rows':
        return node.partitions;
      case 'union':
        return (await this.#all(node.parents)).flat();
      case 'operator': {
        const made: Rows[] = [];
        for (const [index, rows] of (await this.partitions(node.parent)).entries())
          made.push(await operate(node.operator, this.#functions, index, rows));
        return made;
      }
      case 'shuffle':
        return this.#shuffle(node, await this.partitions(node.parent));
      case 'persisted':
        return this.#persisted(node);
      case 'coalesced': {
        const parts = await this.partitions(node.parent);
        return node.groups.map((group) => group.flatMap((index) => parts[index] ?? []));
      }
      case 'stateful':
        return inFirst(
          this.#state.rows(node, (await this.partitions(node.parent)).flat()).rows,
          partitionCount(node),
        );
      case 'stateSnapshots': {
        await this.partitions(node.of);
        return inFirst(this.#state.rows(node.of, []).snapshot, partitionCount(node));
      }
      case 'cut':
        throw new Error(`${node.file} is not here`);
      case 'merge':
        return merge(node, await this.#all(node.parents));
    }
  }

  async #persisted(node: PersistedNode): Promise<readonly Rows[]> {
    const known = this.#kept.rows.get(node);
    if (known) return deserialize(known) as readonly Rows[];
    const rows = await this.partitions(node.parent);
    if (this.#kept.released.has(node)) return rows;
    const bytes = serialize(rows);
    this.#kept.rows.set(node, bytes);
    return deserialize(bytes) as readonly Rows[];
  }

  async #all(nodes: readonly RddNode[]): Promise<readonly (readonly Rows[])[]> {
    return Promise.all(nodes.map((node) => this.partitions(node)));
  }

  #shuffle({ partitioner, place }: ShuffleNode, parents: readonly Rows[]): readonly Rows[] {
    const buckets = Array.from({ length: partitioner.partitions }, (): unknown[] => []);
    for (const [mapPartition, rows] of parents.entries()) {
      const indexOf = this.#indexOf(partitioner, mapPartition);
      for (const row of rows as readonly Pair[]) {
        const index = indexOf(row[0]);
        const bucket = buckets[index];
        if (bucket === undefined)
          throw new MillraceError('USER_CODE', `the partitioner gave ${index}`, { details: { place } });
        bucket.push(deserialize(serialize(row)));
        this.movedRows++;
      }
    }
    return buckets;
  }

  #indexOf(partitioner: PartitionerCall, mapPartition: number): (key: unknown) => number {
    const { partitions } = partitioner;
    switch (partitioner.kind) {
      case 'hash':
        return (key) => hashPartition(key, partitions);
      case 'range': {
        const compare = partitioner.function && this.#functions.of(partitioner.function);
        return rangeIndex(partitioner, compare as (a: unknown, b: unknown) => number);
      }
      case 'custom':
        return this.#functions.of(partitioner.function) as (key: unknown) => number;
      case 'roundRobin': {
        let next = mapPartition;
        return () => next++ % partitions;
      }
    }
  }
}

function inFirst(rows: Rows, partitions: number): readonly Rows[] {
  return Array.from({ length: partitions }, (_, index) => (index === 0 ? rows : []));
}

function merge({ how, place }: MergeNode, parents: readonly (readonly Rows[])[]): readonly Rows[] {
  const [left = [], right = []] = parents;
  if (how === 'cartesian')
    return left.flatMap((a) => right.map((b) => a.flatMap((x) => b.map((y) => [x, y]))));
  if (how === 'cogroup')
    return left.map((_, index) => cogroup(parents.map((parent) => parent[index] as readonly Pair[])));
  if (how === 'concat') return left.map((_, index) => parents.flatMap((parent) => parent[index] ?? []));
  return left.map((a, index) => {
    const b = right[index] ?? [];
    if (a.length === b.length) return a.map((row, at) => [row, b[at]]);
    throw new MillraceError('USER_CODE', 'zip() of unequal partitions', { details: { place } });
  });
}

function cogroup(parents: readonly (readonly Pair[])[]): Rows {
  const groups = new KeyMap<unknown[][]>();
  for (const [index, rows] of parents.entries()) {
    for (const [key, value] of rows) {
      const group = groups.get(key) ?? parents.map(() => []);
      groups.set(key, group);
      group[index]?.push(value);
    }
  }
  return [...groups];
}
