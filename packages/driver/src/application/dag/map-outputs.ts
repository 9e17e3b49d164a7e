import type { MapOutputMessage } from '@millrace/proto/task';

/** What one map task left behind, and where. */
export interface MapOutput extends MapOutputMessage {
  /** '': nowhere; it is empty. */
  readonly executorId: string;
  /** host:port of that executor's block service. */
  readonly address: string;
  /** Below the shuffle directory of that executor. */
  readonly directory: string;
  readonly attempt: number;
}

/** One bucket of one map output. */
export interface MapBlock {
  readonly executorId: string;
  readonly address: string;
  readonly directory: string;
  readonly mapPartition: number;
  readonly attempt: number;
  readonly bytes: number;
}

interface HeldOutput {
  readonly output: MapOutput;
  readonly addedAt: number;
}

/** The output of one map stage, as far as it is there. */
export class MapOutputs {
  /** By map partition. */
  readonly #held: (HeldOutput | undefined)[] = [];

  /** `addedAt` grows from one to the next. */
  add(mapPartition: number, output: MapOutput, addedAt: number): void {
    this.#held[mapPartition] = { output, addedAt };
  }

  /** Of a task that would have found nothing. */
  addEmpty(mapPartition: number): void {
    const output = { executorId: '', address: '', directory: '', attempt: 0, sizes: [] };
    this.#held[mapPartition] = { output, addedAt: 0 };
  }

  has(mapPartition: number): boolean {
    return this.#held[mapPartition] !== undefined;
  }

  /** For another job, whose time begins. */
  copy(): MapOutputs {
    const copy = new MapOutputs();
    for (const [mapPartition, held] of this.#held.entries()) if (held) copy.add(mapPartition, held.output, 0);
    return copy;
  }

  /** Somebody who learnt of outputs at `at` knows of one there that is still held to be good. */
  knownAt(executorId: string, at: number): boolean {
    return this.#held.some((held) => held?.output.executorId === executorId && held.addedAt <= at);
  }

  /** Forgets what is on this executor; returns its map partitions. */
  lose(executorId: string): readonly number[] {
    const lost: number[] = [];
    for (const [mapPartition, held] of this.#held.entries()) {
      if (held?.output.executorId !== executorId) continue;
      lost.push(mapPartition);
      this.#held[mapPartition] = undefined;
    }
    return lost;
  }

  /** In map-partition order; empty ones are left out. */
  blocks(bucket: number): readonly MapBlock[] {
    const blocks: MapBlock[] = [];
    for (const [mapPartition, held] of this.#held.entries()) {
      const bytes = held?.output.sizes[bucket] ?? 0;
      if (!held || bytes === 0) continue;
      const { executorId, address, directory, attempt } = held.output;
      blocks.push({ executorId, address, directory, mapPartition, attempt, bytes });
    }
    return blocks;
  }

  isEmpty(bucket: number): boolean {
    return this.#held.every((held) => (held?.output.sizes[bucket] ?? 0) === 0);
  }
}
