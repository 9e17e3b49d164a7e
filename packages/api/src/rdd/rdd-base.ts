import { HANDLE } from '@millrace/closures';
import type { OffsetRange } from '@millrace/kafka';
import { checkElementFunction, checkFunction } from '../element-function.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import {
  type ActionKind,
  type OperatorKind,
  offsetRangesOf,
  partitionCount,
  type RddNode,
} from '../lineage/rdd-node.ts';
import { callerPlace, placeOf } from '../place.ts';
import type { RDD } from '../rdd.ts';
import type { ShippedFunction } from '../shipped-function.ts';
import { ShufflePlan } from './shuffle-plan.ts';

/** What every part of an RDD stands on: its lineage, and whoever runs it. */
export abstract class RddBase {
  /** Lineage. */
  readonly node: RddNode;
  protected readonly runner: JobRunner;
  /** A lambda that captures an RDD is refused: data cannot be nested. */
  readonly [HANDLE]: { readonly forbid: string; readonly fix: (name: string) => string } = {
    forbid: 'an RDD exists only on the driver; a lambda that runs on an executor cannot use it',
    fix: (name) =>
      `collect it before the lambda:  const rows = await ${name === '' ? 'rdd' : name}.collect()   and use rows inside`,
  };

  constructor(node: RddNode, runner: JobRunner) {
    this.node = node;
    this.runner = runner;
  }

  /** The offset ranges below this dataset, in partition order of their sources: available at every stage. */
  get offsetRanges(): readonly OffsetRange[] {
    return offsetRangesOf(this.node);
  }

  /** Number of task partitions. */
  get partitions(): number {
    return partitionCount(this.node);
  }

  /** A dataset of other lineage, run by the same. */
  protected abstract derived<U>(node: RddNode): RDD<U>;

  /** An operator with one element function. */
  protected element<U>(kind: OperatorKind, f: Function): RDD<U> {
    checkElementFunction(kind, f);
    return this.operator(kind, [f], [], placeOf(f));
  }

  protected operator<U>(
    kind: OperatorKind,
    functions: readonly Function[],
    numbers: readonly number[],
    place: string,
  ): RDD<U> {
    const operator = { kind, functions: this.shipped(kind, functions), numbers, place };
    return this.derived<U>({ kind: 'operator', parent: this.node, operator });
  }

  protected shipped(
    kind: OperatorKind | ActionKind,
    functions: readonly Function[],
  ): readonly ShippedFunction[] {
    return functions.map((f) => {
      checkFunction(kind, f);
      return this.runner.ship(f, kind);
    });
  }

  /** A plan of an operation with these element functions, which are checked. */
  protected plan(operation: string, ...functions: readonly Function[]): ShufflePlan {
    for (const f of functions) checkElementFunction(operation, f);
    return new ShufflePlan(functions[0] ? placeOf(functions[0]) : callerPlace(), this.runner.ship);
  }
}
