import { MillraceError } from '@millrace/common';
import type { ShuffleBlockMessage } from '@millrace/proto/task';
import type { LocatedBlocks } from '../shuffle/shuffle-fetch.ts';
import type { FromSlot, ToSlot } from './slot-messages.ts';

export interface SlotDemandsOptions {
  /** Content of a snapshot or broadcast, by hash. */
  readonly blob: (hash: string) => Promise<Uint8Array>;
  /** Brings blocks of shuffles to this machine. */
  readonly locate: (blocks: readonly ShuffleBlockMessage[]) => Promise<LocatedBlocks>;
  readonly send: (message: ToSlot) => void;
}

/** What the running task of a slot asks its supervisor for. */
export class SlotDemands {
  readonly #options: SlotDemandsOptions;
  #located: LocatedBlocks[] = [];
  #closed = false;

  constructor(options: SlotDemandsOptions) {
    this.#options = options;
  }

  /** Never rejects: the slot is told. */
  async answer(message: Extract<FromSlot, { readonly kind: 'need-blob' | 'need-blocks' }>): Promise<void> {
    const { blob, send } = this.#options;
    if (message.kind === 'need-blocks') return this.#blocks(message.id, message.blocks);
    const { hash } = message;
    try {
      send({ kind: 'blob', hash, content: await blob(hash) });
    } catch (error) {
      send({ kind: 'blob-failed', hash, error: MillraceError.toRecord(error) });
    }
  }

  /** The task that read blocks has ended. */
  release(): void {
    for (const located of this.#located.splice(0)) void located.release();
  }

  /** There will be no task any more. */
  close(): void {
    this.#closed = true;
    this.release();
  }

  async #blocks(id: number, blocks: readonly ShuffleBlockMessage[]): Promise<void> {
    const { locate, send } = this.#options;
    try {
      const located = await locate(blocks);
      this.#located.push(located);
      if (this.#closed) this.release();
      send({ kind: 'blocks', id, sources: located.sources });
    } catch (error) {
      send({ kind: 'blocks-failed', id, error: MillraceError.toRecord(error) });
    }
  }
}
