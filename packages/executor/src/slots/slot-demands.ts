import { MillraceError } from '@millrace/common';
import type { ShuffleBlockMessage } from '@millrace/proto/task';
import type { LocatedBlocks } from '../shuffle/shuffle-fetch.ts';
import type { FetchState, LocalStateSection } from '../state/state-load.ts';
import type { FromSlot, ToSlot } from './slot-messages.ts';

export interface SlotDemandsOptions {
  /** Content of a snapshot or broadcast, by hash. */
  readonly blob: (hash: string) => Promise<Uint8Array>;
  /** Brings blocks of shuffles to this machine. */
  readonly locate: (blocks: readonly ShuffleBlockMessage[]) => Promise<LocatedBlocks>;
  /** Brings a section of state to this machine. */
  readonly fetchState: FetchState;
  readonly send: (message: ToSlot) => void;
}

/** What the running task of a slot asks its supervisor for. */
export class SlotDemands {
  readonly #options: SlotDemandsOptions;
  #located: LocatedBlocks[] = [];
  #sections: LocalStateSection[] = [];
  #closed = false;

  constructor(options: SlotDemandsOptions) {
    this.#options = options;
  }

  /** Never rejects: the slot is told. */
  async answer(
    message: Extract<FromSlot, { readonly kind: 'need-blob' | 'need-blocks' | 'need-state' }>,
  ): Promise<void> {
    const { blob, send } = this.#options;
    if (message.kind === 'need-blocks') return this.#blocks(message.id, message.blocks);
    if (message.kind === 'need-state') return this.#state(message);
    const { hash } = message;
    try {
      send({ kind: 'blob', hash, content: await blob(hash) });
    } catch (error) {
      send({ kind: 'blob-failed', hash, error: MillraceError.toRecord(error) });
    }
  }

  /** The task that read blocks or state has ended. */
  release(): void {
    for (const located of this.#located.splice(0)) void located.release();
    for (const section of this.#sections.splice(0)) section.release();
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

  async #state({
    id,
    application,
    section,
    ahead,
  }: Extract<FromSlot, { readonly kind: 'need-state' }>): Promise<void> {
    const { fetchState, send } = this.#options;
    try {
      const local = await fetchState(application, section, ahead);
      this.#sections.push(local);
      if (this.#closed) this.release();
      send({ kind: 'state', id, path: local.path, offset: local.offset });
    } catch (error) {
      send({ kind: 'state-failed', id, error: MillraceError.toRecord(error) });
    }
  }
}
