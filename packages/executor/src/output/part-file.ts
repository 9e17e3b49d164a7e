import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MillraceError, messageOf } from '@millrace/common';

/** Files that are being written: who reads a directory of parts knows to leave out what begins with "_". */
const UNFINISHED = '_temporary';
const COMPLETE = '_SUCCESS';
const PART = /^part-\d{5,}(?:\.gz)?$/;

export function partName(partition: number, isCompressed: boolean): string {
  return `part-${String(partition).padStart(5, '0')}${isCompressed ? '.gz' : ''}`;
}

/** One file of an output: complete under its name, or not there. Two attempts write two files, of which the last one stays. */
export class PartFile {
  readonly #path: string;
  readonly #unfinished: string;
  #handle: FileHandle | undefined;

  constructor(directory: string, name: string) {
    this.#path = join(directory, name);
    this.#unfinished = join(directory, UNFINISHED, `${name}-${randomUUID()}`);
  }

  /** @throws MillraceError OUTPUT_WRITE_FAILED, as everything here. */
  async write(bytes: Uint8Array): Promise<void> {
    await failing(this.#path, async () => {
      const handle = await this.#open();
      for (let at = 0; at < bytes.length; )
        at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
    });
  }

  /** On disk, then under its name. */
  async finish(): Promise<void> {
    await failing(this.#path, async () => {
      const handle = await this.#open();
      await handle.sync();
      await handle.close();
      await rename(this.#unfinished, this.#path);
      await syncDirectory(dirname(this.#path));
    });
  }

  /** Never throws. */
  async abort(): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    await rm(this.#unfinished, { force: true }).catch(() => undefined);
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle === undefined) {
      await mkdir(dirname(this.#unfinished), { recursive: true });
      this.#handle = await open(this.#unfinished, 'wx');
    }
    return this.#handle;
  }
}

/** Another content is about to be written. */
export async function beginDirectory(directory: string): Promise<void> {
  await failing(directory, async () => {
    await mkdir(directory, { recursive: true });
    await rm(join(directory, COMPLETE), { force: true });
    await syncDirectory(directory);
  });
}

/** `files` parts are there: what else earlier runs left is removed, and the mark of completeness written. */
export async function commitDirectory(
  directory: string,
  files: number,
  isCompressed: boolean,
): Promise<void> {
  await failing(directory, async () => {
    await mkdir(directory, { recursive: true });
    const wanted = new Set(
      Array.from({ length: files }, (_, partition) => partName(partition, isCompressed)),
    );
    for (const name of await readdir(directory))
      if (PART.test(name) && !wanted.has(name)) await rm(join(directory, name), { force: true });
    await rm(join(directory, UNFINISHED), { recursive: true, force: true });
    const mark = await open(join(directory, COMPLETE), 'w');
    await mark.sync();
    await mark.close();
    await syncDirectory(directory);
    await syncDirectory(dirname(directory));
  });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function failing(path: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new MillraceError('OUTPUT_WRITE_FAILED', `${path} could not be written: ${messageOf(error)}`, {
      cause: error,
      remedy: 'Check the directory, its rights and the free space on the machine of this executor.',
      details: { path },
    });
  }
}
