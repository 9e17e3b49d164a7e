import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@millrace/common';
import type { BatchKey, KeptKey } from '@millrace/driver/embedding';
import { ShuffleFetch, ShuffleStore, type SlotOutcome, type TaskRunnerOptions } from '@millrace/executor';

const MEBIBYTE = 1024 * 1024;
// As an executor's defaults; nothing is fetched from anywhere.
const DISK_BYTES_MAX = 64 * 1024 * MEBIBYTE;
const CACHE_BYTES_MAX = 4 * 1024 * MEBIBYTE;
const MEMORY_BYTES_MAX = 64 * MEBIBYTE;
const SILENCE_MS_MAX = 30_000;

type Shuffles = Required<Pick<TaskRunnerOptions, 'locate' | 'storage'>>;

/** The shuffles of an embedded application: files below the temporary directory, made when there are any, gone with it. */
export class LocalShuffle {
  readonly #directory = join(tmpdir(), `millrace-local-${process.pid}-${randomUUID()}`);
  readonly #store = new ShuffleStore({
    directory: join(this.#directory, 'shuffle'),
    bytesMax: DISK_BYTES_MAX,
    cacheBytesMax: CACHE_BYTES_MAX,
  });
  readonly #fetch: ShuffleFetch;

  constructor(executorId: string, clock: Clock) {
    this.#fetch = new ShuffleFetch({
      store: this.#store,
      executorId,
      directory: join(this.#directory, 'fetched'),
      security: {},
      clock,
      silenceMsMax: SILENCE_MS_MAX,
    });
  }

  /** What the runner of a slot needs. */
  ofSlot(slot: number): Shuffles {
    return {
      locate: async (blocks) => (await this.#fetch.locate(blocks)).sources,
      storage: {
        mapOutputPath: (name) => this.#store.path(name),
        spillDirectory: join(this.#directory, 'spill', String(slot)),
        memoryBytesMax: MEMORY_BYTES_MAX,
        fileBytesMax: DISK_BYTES_MAX,
      },
    };
  }

  /** What a map task left may be read from now on. @throws MillraceError BLOCK_MISSING, SHUFFLE_DISK. */
  async admit(outcome: SlotOutcome): Promise<void> {
    if (outcome.kind === 'succeeded' && outcome.written) await this.#store.admit(outcome.written);
  }

  async drop(what: BatchKey | KeptKey): Promise<void> {
    if ('kept' in what) await this.#store.drop(`${what.application}/${what.epoch}/${what.kept}/`);
    else await this.#store.dropBatch(what.application, what.epoch, what.batchTime);
  }

  async close(): Promise<void> {
    this.#fetch.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
