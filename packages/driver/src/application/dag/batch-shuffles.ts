import type { ShuffleNode } from '@millrace/api/internal';
import type { MapOutputs } from './map-outputs.ts';

interface KeptShuffle {
  readonly outputs: MapOutputs;
  /** Map partitions whose records and accumulators have been counted. */
  readonly counted: ReadonlySet<number>;
}

/**
 * What the jobs of one batch have shuffled: the next job that has the same shuffle in its lineage (take() makes several jobs, so do two
 * actions on one dataset) reads it instead of computing it again.
 */
export class BatchShuffles {
  readonly #kept = new Map<ShuffleNode, KeptShuffle>();

  /** As far as the last job that ended knew. */
  of(shuffle: ShuffleNode): KeptShuffle | undefined {
    return this.#kept.get(shuffle);
  }

  keep(shuffle: ShuffleNode, kept: KeptShuffle): void {
    this.#kept.set(shuffle, kept);
  }
}
