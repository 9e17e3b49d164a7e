import type { OperatorKind } from './rdd-node.ts';

/** What a loop fragment knows of its place in the generated loop. All members are JavaScript source texts. */
export interface FragmentContext {
  /** Variable that holds the row. */
  readonly input: string;
  /** Variable for the row it makes; free for the fragment to declare. */
  readonly output: string;
  /** Variable that holds the operator's j-th lambda (default 0). */
  readonly fn: (j?: number) => string;
  /** Literal of the operator's j-th number. */
  readonly number: (j: number) => string;
  /** Index of the operator in its pipeline: for the run-time helpers. */
  readonly index: number;
  /** Source of what happens to a row that this operator lets through under the name `row`. Called at most once: one call site a lambda, so that V8 can inline it. */
  readonly next: (row: string) => string;
}

/**
 * A narrow operator that works row by row: its fragment is fused with its neighbours into one loop.
 * Run-time helpers in scope: `rt.promise(index, it)` throws ELEMENT_PROMISE, `rt.notIterable(index, value)` that or USER_CODE, `rt.truthy(value, index)`, `rt.random(index)` in [0, 1), `rt.poisson(index, mean)`.
 */
export interface ElementOperator {
  readonly kind: OperatorKind;
  readonly form: 'element';
  readonly fragment: (context: FragmentContext) => string;
}

/** An operator that sees a partition as a whole, or waits: it ends one fused loop and begins another. */
export interface PartitionOperator {
  readonly kind: OperatorKind;
  readonly form: 'partition';
  /** An empty partition stays empty. */
  readonly preservesEmpty: boolean;
  run(chunks: AsyncIterable<unknown[]>, call: PartitionOperatorCall): AsyncIterable<unknown[]>;
}

export interface PartitionOperatorCall {
  readonly functions: readonly Function[];
  readonly numbers: readonly number[];
  /** v8-serialized; see OperatorCall. */
  readonly value?: Uint8Array;
  /** Of the operator in the job, for errors. */
  readonly place?: string;
  readonly partition: number;
  readonly signal: AbortSignal;
}

export type OperatorDefinition = ElementOperator | PartitionOperator;

/** Source that refuses what cannot be iterated, a Promise among it. */
export function refuseNonIterable(variable: string, index: number): string {
  return `if (typeof ${variable}?.[Symbol.iterator] !== 'function') rt.notIterable(${index}, ${variable});`;
}

/** Source that refuses a Promise as a row. `instanceof` is two prototype steps; only objects pay for it. */
export function refusePromise(variable: string, index: number): string {
  return `if (typeof ${variable} === 'object' && ${variable} instanceof Promise) rt.promise(${index}, ${variable});`;
}
