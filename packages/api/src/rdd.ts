import { MillraceError } from '@millrace/common';
import type { RddNode } from './lineage/rdd-node.ts';
import { givenLevel, StorageLevel } from './lineage/storage-level.ts';
import { callerPlace } from './place.ts';
import { RddJoined } from './rdd/rdd-joined.ts';

/**
 * A dataset in partitions: how it derives from Kafka ranges, not the records themselves. Transformations are lazy;
 * actions run a job on the executors. Lambdas are captured when they are given: later changes of a captured variable do not matter.
 */
export class RDD<T> extends RddJoined<T> {
  /**
   * The same rows, kept on the executors: the first job that needs a partition computes it, later ones read it, also those of later batches.
   * An RDD never changes: it is the one that is returned that is kept. What an executor held is computed again when the executor is lost.
   * Records become plain objects, as in `collect`.
   * @throws MillraceError JOB_INVALID for an RDD that is persisted with another level.
   */
  persist(...given: readonly [level?: StorageLevel]): RDD<T> {
    const level = givenLevel(given);
    const { node } = this;
    if (node.kind !== 'persisted')
      return this.derived({ kind: 'persisted', parent: node, level, place: callerPlace() });
    if (node.level === level) return this;
    throw new MillraceError('JOB_INVALID', `persist(${level}) of an RDD that is persisted as ${node.level}`, {
      remedy: 'Persist it once, or persist what unpersist() returns.',
      details: { place: callerPlace() },
    });
  }

  /** See `persist`. */
  cache(): RDD<T> {
    return this.persist();
  }

  /**
   * Lets go of what is kept of this RDD, when no job reads it any more, and returns the RDD that was persisted. Who still uses this one has
   * it computed anew, and nothing is kept. Of an RDD that is not persisted, and of a checkpoint: itself.
   */
  unpersist(): RDD<T> {
    const { node } = this;
    if (node.kind !== 'persisted' || node.checkpoint) return this;
    this.runner.release(node);
    return this.derived(node.parent);
  }

  /**
   * The same rows, written to the checkpoint store of the application by the first job that reads any of them, which computes all, and kept on
   * executors as by `persist`. From then on they are never computed again: what is lost with executors is read from the store, and what the
   * rows were made of is forgotten. It is the RDD that is returned that is kept, until nobody can reach it any more, or the application run is over.
   * Each partition has to fit in a result (`resultBytesMax` of the driver).
   * Its jobs throw STATE_STORE_MISSING without a store, STATE_WRITE_FAILED when the store does not take the rows, STATE_CORRUPT when it does not give them back.
   */
  checkpoint(): RDD<T> {
    const { node } = this;
    if (node.kind === 'persisted' && node.checkpoint) return this;
    return this.derived({
      kind: 'persisted',
      parent: node,
      level: StorageLevel.MEMORY_AND_DISK,
      checkpoint: true,
      place: callerPlace(),
    });
  }

  /** See `persist`: what executors lose is computed again, so that this is as safe as the lineage is long. Spark's counterpart cuts that. */
  localCheckpoint(): RDD<T> {
    return this.persist();
  }

  /** It is a checkpoint, and all of its rows are in the store. */
  get isCheckpointed(): boolean {
    return this.getCheckpointFile() !== undefined;
  }

  /** Its name in the checkpoint store. Undefined: nothing is written yet, or nothing will be. */
  getCheckpointFile(): string | undefined {
    const { node } = this;
    return node.kind === 'persisted' && node.parent.kind === 'cut' ? node.parent.file : undefined;
  }

  /** Undefined: it is not persisted. */
  get storageLevel(): StorageLevel | undefined {
    return this.node.kind === 'persisted' ? this.node.level : undefined;
  }

  protected override derived<U>(node: RddNode): RDD<U> {
    return new RDD<U>(node, this.runner);
  }
}
