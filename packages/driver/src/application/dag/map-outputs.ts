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
  /** The block itself: it is nowhere else. */
  readonly data?: Uint8Array;
}

interface HeldOutput {
  readonly output: MapOutput;
  readonly addedAt: number;
}

/** The output of one map stage, as far as it is there. */
export class MapOutputs {
  /** By map partition. */
  readonly #held: (HeldOutput | undefined)[] = [];
  #changes = 0;

  /** Grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  /** `addedAt` grows from one to the next. */
  add(mapPartition: number, output: MapOutput, addedAt: number): void {
    this.#changes++;
    this.#held[mapPartition] = { output, addedAt };
  }

  /** Of a task that would have found nothing. */
  addEmpty(mapPartition: number): void {
    this.add(mapPartition, { executorId: '', address: '', directory: '', attempt: 0, sizes: [] }, 0);
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
    return this.#held.some((held) => isOn(executorId, held) && held.addedAt <= at);
  }

  /** Forgets what is on this executor; returns its map partitions. */
  lose(executorId: string): readonly number[] {
    this.#changes++;
    const lost: number[] = [];
    for (const [mapPartition, held] of this.#held.entries()) {
      if (!isOn(executorId, held)) continue;
      lost.push(mapPartition);
      this.#held[mapPartition] = undefined;
    }
    return lost;
  }

  /** In map-partition order; empty ones are left out. */
  blocks(bucket: number): readonly MapBlock[] {
    const blocks: MapBlock[] = [];
    for (const mapPartition of this.#held.keys()) {
      const block = this.block(mapPartition, bucket);
      if (block) blocks.push(block);
    }
    return blocks;
  }

  /** Undefined when it is empty. */
  block(mapPartition: number, bucket: number): MapBlock | undefined {
    const held = this.#held[mapPartition];
    const bytes = held?.output.sizes[bucket] ?? 0;
    if (!held || bytes === 0) return undefined;
    const { executorId, address, directory, attempt } = held.output;
    const data = inlineBlock(held.output, bucket);
    return { executorId, address, directory, mapPartition, attempt, bytes, ...(data && { data }) };
  }

  /** None of it is on an executor. */
  get isInline(): boolean {
    return this.#held.every((held) => held === undefined || held.output.executorId === '' || isInline(held));
  }

  isEmpty(bucket: number): boolean {
    return this.#held.every((held) => (held?.output.sizes[bucket] ?? 0) === 0);
  }
}

/** What travelled in the result is not lost with the executor that made it. */
function isOn(executorId: string, held: HeldOutput | undefined): held is HeldOutput {
  return held?.output.executorId === executorId && !isInline(held);
}

function isInline({ output }: HeldOutput): boolean {
  return output.inline !== undefined;
}

function inlineBlock({ sizes, inline }: MapOutput, bucket: number): Uint8Array | undefined {
  if (inline === undefined) return undefined;
  const from = sizes.slice(0, bucket).reduce((sum, bytes) => sum + bytes, 0);
  return inline.subarray(from, from + (sizes[bucket] ?? 0));
}
