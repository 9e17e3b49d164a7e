import { MillraceError } from '@millrace/common';

/** Whose a block is: it is dropped with its application's epoch. */
export interface BlockOwner {
  readonly application: string;
  readonly epoch: number;
}

interface Block {
  readonly owner: BlockOwner;
  readonly bytes: Uint8Array;
}

/** Bytes that stay with this executor until they are fetched and dropped. In memory, bounded; nothing is evicted silently. */
export class BlockStore {
  readonly #bytesMax: number;
  readonly #blocks = new Map<string, Block>();
  #bytes = 0;
  #emptied: PromiseWithResolvers<void> | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#blocks.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws MillraceError RESULT_TOO_LARGE when there is no room. */
  put(id: string, bytes: Uint8Array, owner: BlockOwner): void {
    this.drop([id]);
    if (this.#bytes + bytes.length > this.#bytesMax) {
      throw new MillraceError(
        'RESULT_TOO_LARGE',
        `a result of ${bytes.length} bytes does not fit in the block store (${this.#bytes} of ${this.#bytesMax} bytes are taken)`,
        {
          remedy: 'Aggregate or filter before collecting, or raise blockBytesMax.',
          details: { bytes: bytes.length },
        },
      );
    }
    this.#blocks.set(id, { owner, bytes });
    this.#bytes += bytes.length;
  }

  /** @throws MillraceError BLOCK_MISSING. */
  get(id: string): Uint8Array {
    const block = this.#blocks.get(id);
    if (block) return block.bytes;
    throw new MillraceError('BLOCK_MISSING', `block ${id} is not here (any more)`, {
      details: { blockId: id },
    });
  }

  /** Idempotent. */
  drop(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#bytes -= this.#blocks.get(id)?.bytes.length ?? 0;
      this.#blocks.delete(id);
    }
    if (this.#blocks.size === 0) this.#emptied?.resolve();
  }

  /** Resolves when there is no block (any more). */
  async empty(): Promise<void> {
    while (this.#blocks.size > 0) {
      this.#emptied ??= Promise.withResolvers<void>();
      await this.#emptied.promise;
      this.#emptied = undefined;
    }
  }

  /** Drops what belongs to older epochs of an application. */
  dropOwned(isMeant: (owner: BlockOwner) => boolean): void {
    this.drop([...this.#blocks].filter(([, { owner }]) => isMeant(owner)).map(([id]) => id));
  }
}
