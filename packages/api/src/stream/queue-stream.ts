import { MillraceError } from '@millrace/common';
import type { RddNode } from '../lineage/rdd-node.ts';
import { checkOptions, QUEUE_OPTIONS } from '../operator-options.ts';
import { RDD } from '../rdd.ts';
import type { QueueNode } from './stream-node.ts';

export interface QueueOptions<T> {
  /** One RDD of the queue a batch (default); else all that are in it, as one. */
  readonly oneAtATime?: boolean;
  /** For batches that find the queue empty; default: no rows. */
  readonly defaultRDD?: RDD<T>;
}

/** The queue is the job's own: what is pushed there later is seen. @throws MillraceError JOB_INVALID. */
export function queueNode<T>(queue: RDD<T>[], options: QueueOptions<T>, place: string): QueueNode {
  checkOptions('queueStream', options, QUEUE_OPTIONS);
  const { oneAtATime = true, defaultRDD } = options;
  if (!Array.isArray(queue)) throw noRdd('queueStream() was given no array of RDDs', place);
  if (defaultRDD !== undefined && !(defaultRDD instanceof RDD))
    throw noRdd('the defaultRDD of queueStream() is no RDD', place);
  const taken = (): RddNode[] =>
    queue.splice(0, oneAtATime ? 1 : queue.length).map((rdd: unknown) => {
      if (rdd instanceof RDD) return rdd.node;
      throw noRdd('the queue of queueStream() holds something that is no RDD', place);
    });
  return {
    kind: 'queue',
    place,
    next() {
      const parents = taken();
      const [first = defaultRDD?.node] = parents;
      if (parents.length > 1) return { kind: 'union', parents };
      return first ?? { kind: 'rows', partitions: [] };
    },
  };
}

function noRdd(what: string, place: string): MillraceError {
  return new MillraceError('JOB_INVALID', what, {
    remedy: 'Put RDDs in it: ssc.parallelize([…]), say.',
    details: { place },
  });
}
