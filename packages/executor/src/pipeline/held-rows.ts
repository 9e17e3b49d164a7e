import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockSource, bucketSource, readRows } from '../shuffle/shuffle-reader.ts';
import { ShuffleWriter } from '../shuffle/shuffle-writer.ts';
import { sizeOf } from '../shuffle/value-size.ts';
import { spillDirectoryOf, type TaskStorage } from './task-storage.ts';

/** Rows that are read again and again: in memory, or in a file when there are too many. */
export class HeldRows {
  readonly #storage: TaskStorage;
  readonly #place: string;
  readonly #directory: string;
  #rows: unknown[] = [];
  #bytes = 0;
  #writer: ShuffleWriter | undefined;
  #file: BlockSource | undefined;

  /** `place` of the operator in the job, for errors. */
  constructor(storage: TaskStorage, place: string) {
    this.#storage = storage;
    this.#place = place;
    this.#directory = spillDirectoryOf(storage);
  }

  /** All of them, once. @throws MillraceError SHUFFLE_DISK; USER_CODE when a row on disk cannot be serialized; what the chunks throw. */
  async fill(chunks: AsyncIterable<readonly unknown[]>): Promise<void> {
    for await (const chunk of chunks) {
      for (const row of chunk) {
        this.#rows.push(row);
        this.#bytes += sizeOf(row);
        if (this.#bytes >= this.#storage.memoryBytesMax) await this.#spill();
      }
    }
    if (this.#writer === undefined) return;
    await this.#spill();
    await this.#writer.finish();
    this.#file = await bucketSource(this.#path, 0);
  }

  /** In order; as often as it is asked for. */
  async *chunks(): AsyncGenerator<readonly unknown[], void, undefined> {
    if (this.#file === undefined) {
      yield this.#rows;
      return;
    }
    for await (const rows of readRows([this.#file])) yield rows.map(([, row]) => row);
  }

  /** Never throws; idempotent. */
  async close(): Promise<void> {
    this.#rows = [];
    if (this.#writer === undefined) return;
    await this.#writer.abort();
    await rm(this.#directory, { recursive: true, force: true }).catch(() => undefined);
  }

  get #path(): string {
    return join(this.#directory, 'rows');
  }

  async #spill(): Promise<void> {
    const { memoryBytesMax, fileBytesMax } = this.#storage;
    this.#writer ??= new ShuffleWriter({
      path: this.#path,
      buckets: 1,
      bufferBytesMax: memoryBytesMax,
      fileBytesMax,
      place: this.#place,
    });
    for (const row of this.#rows) {
      this.#writer.add(0, undefined, row);
      if (this.#writer.isFull) await this.#writer.flush();
    }
    this.#rows = [];
    this.#bytes = 0;
  }
}
