import { deserialize, serialize } from 'node:v8';
import { MillraceError, seededRandom } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { ACTIONS, encodeResult } from '../actions/index.ts';
import { canonicalKey } from '../canonical-key.ts';
import { elementPromise } from '../element-function.ts';
import { KeyMap, keyText } from '../key-map.ts';
import type { JobRequest, JobRunner } from '../lineage/job-runner.ts';
import type { PartitionerCall } from '../lineage/partitioner-call.ts';
import { rangeIndex } from '../lineage/range-index.ts';
import type { ActionCall, MergeNode, OperatorCall, RddNode, ShuffleNode } from '../lineage/rdd-node.ts';
import { OPERATORS } from '../operators/index.ts';
import { rowOrder } from '../row-order.ts';
import { rowsOf } from '../rows.ts';
import type { ShippedFunction } from '../shipped-function.ts';

type Rows = readonly unknown[];
type Pair = readonly [unknown, unknown];

export interface ReferenceRunner extends JobRunner {
  readonly jobs: readonly JobRequest[];
  /** Rows that went through a shuffle. */
  readonly movedRows: number;
}

/** The records of a range. */
export type ReadRange = (range: OffsetRange) => Rows;

function notUsed(): never {
  throw new Error('not used');
}

/** Runs lineage literally, in memory, one partition after the other: what the engine must give, too. Lambdas stay the functions that they are. */
export function referenceRunner(read: ReadRange = notUsed): ReferenceRunner {
  const functions = new Functions();
  const jobs: JobRequest[] = [];
  let movedRows = 0;
  return {
    jobs,
    get movedRows() {
      return movedRows;
    },
    async run(job) {
      jobs.push(job);
      const evaluation = new Evaluation(functions, read);
      const partitions = await evaluation.partitions(job.node);
      movedRows += evaluation.movedRows;
      const wanted = job.partitions ?? [...partitions.keys()];
      const results: Uint8Array[] = [];
      for (const index of wanted)
        results.push(encodeResult(await act(job.action, functions, partitions[index] ?? [])));
      return results;
    },
    ship: (fn) => functions.ship(fn),
    broadcast: () => 'hash',
    dropBroadcast: () => undefined,
    print: () => undefined,
    notice: () => undefined,
    kafka: notUsed,
  };
}

/** One function is one content. */
class Functions {
  readonly #hashes = new Map<Function, string>();
  readonly #functions = new Map<string, Function>();

  ship(fn: Function): ShippedFunction {
    const hash = this.#hashes.get(fn) ?? `f${this.#hashes.size}`;
    this.#hashes.set(fn, hash);
    this.#functions.set(hash, fn);
    return { hash, bytes: new Uint8Array(), place: 'job.ts:1:1', broadcastIds: [] };
  }

  of(shipped: ShippedFunction): Function {
    return this.#functions.get(shipped.hash) as Function;
  }
}

/** The partitions of the datasets of one job; each dataset is computed once. */
class Evaluation {
  movedRows = 0;
  readonly #functions: Functions;
  readonly #read: ReadRange;
  readonly #made = new Map<RddNode, Promise<readonly Rows[]>>();

  constructor(functions: Functions, read: ReadRange) {
    this.#functions = functions;
    this.#read = read;
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
          made.push(await this.#operator(node.operator, index, rows));
        return made;
      }
      case 'shuffle':
        return this.#shuffle(node, await this.partitions(node.parent));
      case 'merge':
        return merge(node, await this.#all(node.parents));
    }
  }

  async #all(nodes: readonly RddNode[]): Promise<readonly (readonly Rows[])[]> {
    return Promise.all(nodes.map((node) => this.partitions(node)));
  }

  async #operator(operator: OperatorCall, partition: number, rows: Rows): Promise<Rows> {
    const { kind, numbers, value, place } = operator;
    const definition = OPERATORS[kind];
    const functions = operator.functions.map((shipped) => this.#functions.of(shipped));
    if (definition.form === 'partition') {
      if (rows.length === 0 && definition.preservesEmpty) return [];
      const { signal } = new AbortController();
      const call = { functions, numbers, place, partition, signal, ...(value && { value }) };
      return rowsOf(definition.run(chunks(rows), call)).toArray();
    }
    const fragment = definition.fragment({
      input: 'row',
      output: 'made',
      fn: (j = 0) => `fns[${j}]`,
      number: (j) => String(numbers[j] ?? 0),
      index: 0,
      next: (row) => `out.push(${row});`,
    });
    const out: unknown[] = [];
    const source = `rows: for (const row of rows) { ${fragment} }`;
    compiled(['rows', 'fns', 'out', 'rt'], source)(rows, functions, out, runtime(operator, partition));
    return out;
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
        return (key) => textHash(keyText(key)) % partitions;
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

function merge({ how, place }: MergeNode, parents: readonly (readonly Rows[])[]): readonly Rows[] {
  const [left = [], right = []] = parents;
  if (how === 'cartesian')
    return left.flatMap((a) => right.map((b) => a.flatMap((x) => b.map((y) => [x, y]))));
  if (how === 'cogroup')
    return left.map((_, index) => cogroup(parents.map((parent) => parent[index] as readonly Pair[])));
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

async function act(action: ActionCall, functions: Functions, rows: Rows): Promise<unknown> {
  const definition = ACTIONS[action.kind];
  const lambdas = action.functions.map((shipped) => functions.of(shipped));
  if (definition.form === 'partition') return lambdas[0]?.(rowsOf(chunks(rows)));
  if (definition.form === 'shuffle') return notUsed();
  const context = {
    fn: (j = 0) => (lambdas[j] === undefined ? 'undefined' : `fns[${j}]`),
    number: (j: number) => String(action.numbers[j] ?? 0),
  };
  const each = definition.each({ ...context, row: 'row' });
  const source = `let done = false; ${definition.state(context)} rows: for (const row of rows) { ${each} } return ${definition.end};`;
  return compiled(['rows', 'fns', 'rt'], source)(rows, lambdas, runtime(action, 0));
}

function compiled(parameters: readonly string[], source: string): Function {
  // The text is made of our own fragments and numbers only.
  // oxlint-disable-next-line typescript/no-implied-eval -- the operators' own fragments
  return new Function(...parameters, `"use strict"; ${source}`);
}

/** What fragments call; see LoopRuntime of the executor. */
function runtime(call: OperatorCall | ActionCall, partition: number): object {
  const random = seededRandom((call.numbers[2] ?? 0) + partition);
  const promise = (): never => {
    throw elementPromise(call.kind, call.place);
  };
  return {
    promise,
    notIterable: promise,
    truthy: Boolean,
    random: () => random.next(),
    detach: (row: unknown): unknown => deserialize(serialize(row)),
    zero: () => (call.value === undefined ? undefined : (deserialize(call.value) as unknown)),
    canonicalKey,
    ordered(n: number, direction: number, compare?: (a: unknown, b: unknown) => number) {
      const best = {
        rows: [] as unknown[],
        add(row: unknown): void {
          best.rows = [...best.rows, row].toSorted(rowOrder(direction, compare)).slice(0, n);
        },
      };
      return best;
    },
  };
}

/** Small ones, so that operators meet more than one. */
async function* chunks(rows: Rows): AsyncIterable<unknown[]> {
  for (let from = 0; from < rows.length; from += 3) yield rows.slice(from, from + 3);
}

function textHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) >>> 0;
  return hash;
}
