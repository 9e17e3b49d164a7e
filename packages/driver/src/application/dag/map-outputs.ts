import type { CheckpointSection, MapOutputMessage } from '@millrace/proto/task';

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
  /** Where it is: on no executor any more. */
  readonly section?: CheckpointSection;
}

interface HeldOutput {
  readonly output: MapOutput;
  readonly addedAt: number;
  /** A durable copy of its only bucket. */
  readonly section?: CheckpointSection;
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

  /** There is a durable copy of its only bucket; of another attempt's output than the one that is held: nothing changes. */
  secure(mapPartition: number, output: MapOutput, section: CheckpointSection): void {
    const held = this.#held[mapPartition];
    if (held?.output === output) this.#held[mapPartition] = { ...held, section };
  }

  /** None of these map partitions can be lost any more. */
  isSecure(partitions: number): boolean {
    for (let mapPartition = 0; mapPartition < partitions; mapPartition++) {
      const held = this.#held[mapPartition];
      if (!held || (held.section === undefined && (held.output.sizes[0] ?? 0) > 0)) return false;
    }
    return true;
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

  /** Forgets what is on this executor; returns the map partitions of which nothing is left. */
  lose(executorId: string): readonly number[] {
    this.#changes++;
    const lost: number[] = [];
    for (const [mapPartition, held] of this.#held.entries()) {
      if (!isOn(executorId, held)) continue;
      if (held.section) {
        this.#held[mapPartition] = { ...held, output: { ...held.output, executorId: '', address: '' } };
        continue;
      }
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
    const section = executorId === '' ? held.section : undefined;
    return {
      executorId,
      address,
      directory,
      mapPartition,
      attempt,
      bytes,
      ...(data && { data }),
      ...(section && { section }),
    };
  }

  /** None of it is on an executor. */
  get isInline(): boolean {
    return this.#held.every((held) => held === undefined || held.output.executorId === '' || isInline(held));
  }

  isEmpty(bucket: number): boolean {
    return this.#held.every((held) => (held?.output.sizes[bucket] ?? 0) === 0);
  }
}

/** What travelled in the result is not lost with the executor that made it, and nothing cannot be lost. */
function isOn(executorId: string, held: HeldOutput | undefined): held is HeldOutput {
  if (held?.output.executorId !== executorId || isInline(held)) return false;
  return held.output.sizes.some((bytes) => bytes > 0);
}

function isInline({ output }: HeldOutput): boolean {
  return output.inline !== undefined;
}

function inlineBlock({ sizes, inline }: MapOutput, bucket: number): Uint8Array | undefined {
  if (inline === undefined) return undefined;
  const from = sizes.slice(0, bucket).reduce((sum, bytes) => sum + bytes, 0);
  return inline.subarray(from, from + (sizes[bucket] ?? 0));
}
