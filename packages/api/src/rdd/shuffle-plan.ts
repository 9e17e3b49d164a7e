import { type PartitionerCall, partitionerOf, samePartitioner } from '../lineage/partitioner-call.ts';
import type { MergeKind, OperatorCall, OperatorKind, RddNode } from '../lineage/rdd-node.ts';
import { COUNT } from '../operators/combine.ts';
import { type Partitioning, partitionerCall } from '../partitioner.ts';
import type { FunctionShipper, ShippedFunction } from '../shipped-function.ts';

type OperatorRest = Partial<Pick<OperatorCall, 'functions' | 'numbers' | 'value'>>;

/** How rows are combined on both sides of a shuffle. `map` has what `combine` takes, `reduce` what `mergeCombiners` takes. */
export interface CombinePlan {
  readonly map: OperatorRest;
  readonly reduce: OperatorRest;
}

/** Rows are counted. */
export const COUNT_PLAN: CombinePlan = { map: { numbers: [COUNT] }, reduce: { numbers: [COUNT] } };
/** The first value of a key stays. */
export const FIRST_PLAN: CombinePlan = { map: {}, reduce: {} };

/** Lineage of one operation: what moves, and what need not. */
export class ShufflePlan {
  readonly place: string;
  readonly #ship: FunctionShipper;
  /** A dataset that is moved twice alike, as in a join with itself, is moved once. */
  readonly #moved = new Map<RddNode, RddNode>();

  constructor(place: string, ship: FunctionShipper) {
    this.place = place;
    this.#ship = ship;
  }

  /** `operation`: for errors of capture. */
  shipped(operation: string, ...functions: readonly Function[]): readonly ShippedFunction[] {
    return functions.map((f) => this.#ship(f, operation));
  }

  operator(parent: RddNode, kind: OperatorKind, rest: OperatorRest = {}): RddNode {
    const operator: OperatorCall = { kind, functions: [], numbers: [], ...rest, place: this.place };
    return { kind: 'operator', parent, operator };
  }

  partitioner(partitioning: Partitioning<never> | undefined, parents: readonly RddNode[]): PartitionerCall {
    return partitionerCall(partitioning, parents, this.#ship);
  }

  /** Rows [key, value] where `partitioner` wants them: as they are when they are there already. */
  moved(parent: RddNode, partitioner: PartitionerCall): RddNode {
    if (isThere(parent, partitioner)) return parent;
    const known = this.#moved.get(parent);
    if (known?.kind === 'shuffle' && known.partitioner === partitioner) return known;
    const node: RddNode = { kind: 'shuffle', parent, partitioner, place: this.place };
    this.#moved.set(parent, node);
    return node;
  }

  /** One row a key. Before they move, rows are combined. */
  combined(parent: RddNode, { map, reduce }: CombinePlan, partitioner: PartitionerCall): RddNode {
    const combined = this.operator(parent, 'combine', map);
    if (isThere(parent, partitioner)) return combined;
    return this.operator(this.moved(combined, partitioner), 'mergeCombiners', reduce);
  }

  cogrouped(parents: readonly RddNode[], partitioning: Partitioning<never> | undefined): RddNode {
    const partitioner = this.partitioner(partitioning, parents);
    return this.merged(
      'cogroup',
      parents.map((parent) => this.moved(parent, partitioner)),
    );
  }

  merged(how: MergeKind, parents: readonly RddNode[]): RddNode {
    return { kind: 'merge', how, parents, place: this.place };
  }
}

function isThere(node: RddNode, partitioner: PartitionerCall): boolean {
  const own = partitionerOf(node);
  return own !== undefined && samePartitioner(own, partitioner);
}
