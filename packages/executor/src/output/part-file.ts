import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { WrittenPart } from '@millrace/api/internal';
import { makeDirectories } from './durable-files.ts';
import { codeOf, failing } from './file-failure.ts';

/** Who tidies up behind an earlier batch may take a directory away that is just being made. */
const OPEN_ATTEMPTS = 4;

export function partName(partition: number, isCompressed: boolean): string {
  return `part-${String(partition).padStart(5, '0')}${isCompressed ? '.gz' : ''}`;
}

/** What one attempt writes, under a name of its own: it counts when the output is made of it. */
export class PartFile {
  readonly #name: string;
  readonly #stage: string;
  readonly #file: string;
  #handle: FileHandle | undefined;
  #bytes = 0;
  #crc = 0;

  /** `stage`: where attempts write; made when it is not there. */
  constructor(stage: string, name: string) {
    this.#name = name;
    this.#stage = stage;
    this.#file = `${name}-${randomUUID()}`;
  }

  /** @throws MillraceError OUTPUT_WRITE_FAILED, as everything here. */
  async write(bytes: Uint8Array): Promise<void> {
    await failing(this.#path, async () => {
      const handle = await this.#open();
      for (let at = 0; at < bytes.length; )
        at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
    });
    this.#bytes += bytes.length;
    this.#crc = crc32(bytes, this.#crc);
  }

  /** On disk. */
  async finish(rows: number): Promise<WrittenPart> {
    await failing(this.#path, async () => {
      const handle = await this.#open();
      await handle.sync();
      await handle.close();
    });
    const crc = this.#crc.toString(16).padStart(8, '0');
    return { file: this.#file, name: this.#name, rows, bytes: this.#bytes, crc32: crc };
  }

  /** Never throws. */
  async abort(): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    await rm(this.#path, { force: true }).catch(() => undefined);
  }

  get #path(): string {
    return join(this.#stage, this.#file);
  }

  async #open(): Promise<FileHandle> {
    for (let attempt = 1; this.#handle === undefined; attempt++) {
      try {
        await makeDirectories(this.#stage);
        this.#handle = await open(this.#path, 'wx');
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || attempt >= OPEN_ATTEMPTS) throw error;
      }
    }
    return this.#handle;
  }
}
