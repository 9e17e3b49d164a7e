import { HANDLE } from '@millrace/closures';
import type { DStream } from '../dstream.ts';
import { checkElementFunction, checkFunction } from '../element-function.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { OperatorKind, RddNode } from '../lineage/rdd-node.ts';
import { checkPartitioning, type Partitioning, partitioningFunctions } from '../partitioner.ts';
import { calledAt, callerPlace, placeOf } from '../place.ts';
import { ShufflePlan } from '../rdd/shuffle-plan.ts';
import { RDD } from '../rdd.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { StreamNode } from './stream-node.ts';

/** An operator that makes each batch's RDD by the RDD's operation of the same name. */
export interface BatchOperation<T> {
  readonly name: string;
  /** Element functions: checked at once. */
  readonly functions?: readonly Function[];
  readonly partitions?: Partitioning<never> | undefined;
  readonly others?: readonly DStream<unknown>[];
  readonly check?: () => void;
  /** `rdd`: of this stream; `others`: of the other streams, in the same batch. */
  readonly make: (rdd: RDD<T>, others: readonly RDD<never>[], runner: JobRunner) => unknown;
}

/** What every part of a DStream stands on: its lineage, and the graph of the job. */
export abstract class DStreamBase<T> {
  /** Lineage. */
  readonly node: StreamNode;
  protected readonly graph: GraphBuilder;
  /** A lambda that captures a DStream is refused. */
  readonly [HANDLE]: { readonly forbid: string; readonly fix: (name: string) => string } = {
    forbid: 'a DStream exists only on the driver; a lambda that runs on an executor cannot use it',
    fix: (name) =>
      `use the rows that the lambda is given instead of \`${name === '' ? 'the stream' : name}\``,
  };

  constructor(node: StreamNode, graph: GraphBuilder) {
    this.node = node;
    this.graph = graph;
  }

  /** A stream of other lineage in the same graph. */
  protected abstract derived<U>(node: StreamNode): DStream<U>;

  /** Wrong ones become problems of the job; they never run. */
  protected checked(numbers: () => readonly number[]): readonly number[] {
    return this.graph.check(numbers, callerPlace()) ?? [];
  }

  protected element<U>(kind: OperatorKind, f: Function): DStream<U> {
    if (typeof f === 'function') this.graph.check(() => checkElementFunction(kind, f), callerPlace());
    return this.operator(kind, [f], [], placeOf(f));
  }

  protected operator<U>(
    kind: OperatorKind,
    functions: readonly Function[],
    numbers: readonly number[],
    place: string,
  ): DStream<U> {
    for (const f of functions) this.graph.check(() => checkFunction(kind, f), callerPlace());
    const operator = { kind, functions, numbers, place };
    this.graph.addLambdas(kind, functions, place);
    return this.derived<U>({ kind: 'operator', parent: this.node, operator });
  }

  /** Lambdas are captured when `make` gives them to the batch's RDD. */
  protected perBatch<U>({ name, functions = [], ...operation }: BatchOperation<T>): DStream<U> {
    const { partitions, others = [], check, make } = operation;
    const place = functions[0] === undefined ? callerPlace() : placeOf(functions[0]);
    for (const f of functions) this.graph.check(() => checkElementFunction(name, f), place);
    this.graph.check(() => checkPartitioning(partitions), place);
    if (check) this.graph.check(check, place);
    this.graph.addLambdas(name, [...functions, ...partitioningFunctions(partitions)], place);
    const parents = [this.node, ...others.map(({ node }) => node)];
    this.graph.checkSlides(name, parents, place);
    return this.derived<U>({
      kind: 'transform',
      parents,
      make: ([rdd, ...rest], _time, runner) =>
        calledAt(place, () =>
          make(rdd as RDD<T>, rest as readonly RDD<unknown>[] as readonly RDD<never>[], runner),
        ) as RDD<unknown>,
      place,
    });
  }

  /** As perBatch, for what an RDD has no operation for. */
  protected planned<U>(
    operation: Omit<BatchOperation<T>, 'make'>,
    make: (plan: ShufflePlan, node: RddNode) => RddNode,
  ): DStream<U> {
    return this.perBatch({
      ...operation,
      make: ({ node }, _others, runner) =>
        new RDD(make(new ShufflePlan(callerPlace(), runner.ship), node), runner),
    });
  }
}
