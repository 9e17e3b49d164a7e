import type { RddNode } from './lineage/rdd-node.ts';
import { RddJoined } from './rdd/rdd-joined.ts';

/**
 * A dataset in partitions: how it derives from Kafka ranges, not the records themselves. Transformations are lazy;
 * actions run a job on the executors. Lambdas are captured when they are given: later changes of a captured variable do not matter.
 */
export class RDD<T> extends RddJoined<T> {
  protected override derived<U>(node: RddNode): RDD<U> {
    return new RDD<U>(node, this.runner);
  }
}
