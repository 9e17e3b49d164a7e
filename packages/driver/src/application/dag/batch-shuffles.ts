import type { StoredNode } from '@millrace/api/internal';
import type { MapOutputs } from './map-outputs.ts';

/**
 * What the jobs of one batch have shuffled: the next job that has the same shuffle in its lineage (take() makes several jobs, so do two
 * actions on one dataset) reads it instead of computing it again.
 */
export class BatchShuffles {
  readonly #kept = new Map<StoredNode, MapOutputs>();

  /** As far as the last job that ended knew. */
  of(shuffle: StoredNode): MapOutputs | undefined {
    return this.#kept.get(shuffle);
  }

  /** Executors hold nothing of it. */
  get areInline(): boolean {
    for (const outputs of this.#kept.values()) if (!outputs.isInline) return false;
    return true;
  }

  keep(shuffle: StoredNode, outputs: MapOutputs): void {
    this.#kept.set(shuffle, outputs);
  }
}
