import { type Logger, messageOf } from '@millrace/common';
import {
  checkpointFileName,
  type StateFile,
  type StateFiles,
  stateWriteFailure,
} from '../state/state-files.ts';
import type { KeptDataset } from './kept-datasets.ts';
import type { MapOutput } from './map-outputs.ts';

export interface RddCheckpointsOptions {
  readonly files: StateFiles;
  readonly epoch: number;
  readonly logger: Logger;
}

interface Written {
  readonly name: string;
  /** Undefined: nothing was written yet, or all is. */
  file: StateFile | undefined;
  bytes: number;
  /** What is to be said of all that was appended since the last sync began. */
  readonly pending: (() => void)[];
  /** The writes that are under way, or the first failure. */
  last: Promise<void>;
}

/**
 * The files of checkpoints of RDDs, one each, by the id of their dataset: what map tasks bring is appended, and stands in for the executor
 * that made it as soon as it is durable. They last as long as the application run (ADR 10).
 */
export class RddCheckpoints {
  readonly #options: RddCheckpointsOptions;
  readonly #written = new Map<number, Written>();

  constructor(options: RddCheckpointsOptions) {
    this.#options = options;
  }

  /** A partition that is brought again, as its executor was lost meanwhile, is appended again. @throws MillraceError STATE_WRITE_FAILED. */
  add({ id, outputs }: KeptDataset, mapPartition: number, output: MapOutput, copy: Uint8Array): void {
    const { files } = this.#options;
    const written = this.#of(id);
    try {
      written.file ??= files.create(written.name);
      written.file.append(copy);
    } catch (error) {
      throw stateWriteFailure(error, files.where);
    }
    const section = { file: written.name, offset: written.bytes };
    written.bytes += copy.length;
    written.pending.push(() => outputs.secure(mapPartition, output, section));
    if (written.pending.length > 1) return;
    written.last = written.last.then(() => syncPending(written));
    // Whoever ends a job asks.
    written.last.catch(() => undefined);
  }

  /** All that was added is durable. @throws MillraceError STATE_WRITE_FAILED. */
  async settled(id: number): Promise<void> {
    try {
      await this.#written.get(id)?.last;
    } catch (error) {
      throw stateWriteFailure(error, this.#options.files.where);
    }
  }

  /** Nothing is added any more. Its name. */
  close(id: number): string {
    const written = this.#of(id);
    written.file?.close();
    return written.name;
  }

  /** Nobody reads it any more. Never throws. */
  drop(id: number): void {
    const written = this.#written.get(id);
    if (!written) return;
    this.#written.delete(id);
    const { files, logger } = this.#options;
    const remove = (): void => {
      written.file?.close();
      try {
        files.remove(written.name);
      } catch (error) {
        logger.warn(
          { file: written.name, reason: messageOf(error) },
          'a checkpoint could not be removed; the next start tries again',
        );
      }
    };
    written.last.then(remove, remove);
  }

  #of(id: number): Written {
    const known = this.#written.get(id);
    if (known) return known;
    const name = checkpointFileName(this.#options.epoch, id);
    const written: Written = { name, file: undefined, bytes: 0, pending: [], last: Promise.resolve() };
    this.#written.set(id, written);
    return written;
  }
}

/** One sync for all that came while the one before it was under way. */
async function syncPending({ file, pending }: Written): Promise<void> {
  const synced = pending.splice(0);
  await file?.sync();
  for (const secure of synced) secure();
}
