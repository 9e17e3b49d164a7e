import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError, systemClock } from '@millrace/common';
import { ShuffleFetch, ShuffleStore, type TaskEngine, TaskRunner } from '@millrace/executor';
import type { ShuffleBlockMessage } from '@millrace/proto/task';

const SLOTS = 2;
const DISK_BYTES_MAX = 1e9;

export interface InProcessExecutorOptions {
  readonly id: string;
  readonly engine: TaskEngine;
  /** Bytes that an operator of a task holds. */
  readonly memoryBytesMax: number;
  /** Map outputs up to this size travel in results. */
  readonly inlineBytesMax: number;
  /** Where checkpoints are. */
  readonly checkpoints: string;
  /** Any executor, dead or alive. */
  readonly executor: (id: string) => InProcessExecutor | undefined;
}

/** Slots, map outputs and spills of an executor, in this process. Blocks of another are read from its disk, as long as it lives. */
export class InProcessExecutor {
  readonly id: string;
  readonly store: ShuffleStore;
  readonly abort = new AbortController();
  readonly slots: readonly TaskRunner[];
  /** The end of the task that each slot was given last. */
  readonly last: Promise<void>[] = Array.from({ length: SLOTS }, () => Promise.resolve());
  readonly #directory = join(tmpdir(), `millrace-property-${process.pid}-${randomUUID()}`);
  readonly #fetch: ShuffleFetch;

  constructor({
    id,
    engine,
    memoryBytesMax,
    inlineBytesMax,
    checkpoints,
    executor,
  }: InProcessExecutorOptions) {
    this.id = id;
    this.store = new ShuffleStore({ directory: join(this.#directory, 'shuffle'), bytesMax: DISK_BYTES_MAX });
    this.#fetch = new ShuffleFetch({
      store: this.store,
      executorId: id,
      directory: join(this.#directory, 'fetched'),
      security: {},
      clock: systemClock,
      silenceMsMax: 5_000,
    });
    const runner = (slot: number): TaskRunner =>
      new TaskRunner({
        executorId: id,
        engine,
        fetchBlob: () => Promise.reject(new Error('there are no blobs')),
        clock: systemClock,
        fetchState: async (_application, { file, offset }) => ({
          path: join(checkpoints, file),
          offset,
          release: () => undefined,
        }),
        locate: async (blocks) => {
          const located = await Promise.all(
            blocks.map((block) => (executor(block.executorId) ?? this).located(block)),
          );
          return located.flat();
        },
        storage: {
          mapOutputPath: (name) => this.store.path(name),
          spillDirectory: join(this.#directory, 'spill', String(slot)),
          memoryBytesMax,
          fileBytesMax: DISK_BYTES_MAX,
          inlineBytesMax,
        },
      });
    this.slots = Array.from({ length: SLOTS }, (_, slot) => runner(slot));
  }

  /** @throws MillraceError FETCH_FAILED: it is not here, or not any more. */
  async located(block: ShuffleBlockMessage): ReturnType<NonNullable<TaskLocate>> {
    return (await this.#fetch.locate([block])).sources;
  }

  /** With all that it held. */
  async kill(): Promise<void> {
    this.abort.abort(new MillraceError('TASK_KILLED', 'its executor was killed'));
    this.#fetch.close();
    await this.store.drop('property');
    await Promise.allSettled([...this.last, ...this.slots.map((runner) => runner.close())]);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

type TaskLocate = ConstructorParameters<typeof TaskRunner>[0]['locate'];
