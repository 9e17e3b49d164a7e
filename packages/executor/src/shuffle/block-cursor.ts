import type { RowBlock } from './row-block.ts';

/** A source of a merge, and the row at which it stands: before the first one until `read`. */
export class BlockCursor {
  key: unknown;
  value: unknown;
  /** Infinity at the end. */
  mark = Number.NEGATIVE_INFINITY;
  /** About what a row of its block takes. */
  rowBytes = 0;
  readonly #blocks: AsyncGenerator<RowBlock, void, undefined>;
  #block: RowBlock | undefined;
  #at = -1;

  constructor(blocks: AsyncGenerator<RowBlock, void, undefined>) {
    this.#blocks = blocks;
  }

  get isAtEnd(): boolean {
    return this.#block === undefined;
  }

  /** To the next row; false when its block is not read yet: `read` then. */
  step(): boolean {
    const block = this.#block;
    const at = this.#at + 1;
    if (block === undefined || at >= block.rows) return false;
    this.#at = at;
    this.key = block.keys[at];
    this.value = block.values[at];
    this.mark = block.marks?.[at] ?? 0;
    return true;
  }

  /** To the first row of the next block. */
  async read(): Promise<void> {
    do {
      const { done, value } = await this.#blocks.next();
      this.#block = done === true ? undefined : value;
      this.#at = -1;
    } while (this.#block !== undefined && !this.step());
    if (this.#block === undefined) this.mark = Number.POSITIVE_INFINITY;
    else this.rowBytes = this.#block.bytes / this.#block.rows;
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}
