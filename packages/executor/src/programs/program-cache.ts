import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MillraceError, messageOf } from '@millrace/common';
import { unpackBundle } from '@millrace/proto';

export interface ProgramCacheOptions {
  /** Of this process alone. */
  readonly dir: string;
  readonly fetch: (hash: string) => Promise<Uint8Array>;
  readonly programsMax: number;
}

const SAFE_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/** Unpacked programs of this executor: fetched once, whoever asks for them; the least recently used is deleted. */
export class ProgramCache {
  readonly #options: ProgramCacheOptions;
  /** Directories by program hash; least recently used first. */
  readonly #ready = new Map<string, string>();
  readonly #underway = new Map<string, Promise<string>>();

  constructor(options: ProgramCacheOptions) {
    this.#options = options;
  }

  /** The directory of a program that is here; at once, because most tasks find theirs. */
  directory(hash: string): string | undefined {
    const dir = this.#ready.get(hash);
    if (dir === undefined) return undefined;
    this.#ready.delete(hash);
    this.#ready.set(hash, dir);
    return dir;
  }

  /** Brings a program here. @throws what fetching and unpacking throw; the next call tries again. */
  fetch(hash: string): Promise<string> {
    const known = this.directory(hash);
    if (known !== undefined) return Promise.resolve(known);
    const underway = this.#underway.get(hash);
    if (underway) return underway;
    const fetching = this.#fetch(hash).finally(() => this.#underway.delete(hash));
    this.#underway.set(hash, fetching);
    return fetching;
  }

  async #fetch(hash: string): Promise<string> {
    if (!SAFE_NAME.test(hash))
      throw new MillraceError('BAD_REQUEST', `${JSON.stringify(hash)} is no program hash`);
    const files = unpackBundle(await this.#options.fetch(hash));
    const dir = join(this.#options.dir, hash);
    const unfinished = join(this.#options.dir, `.${hash}`);
    try {
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished, { recursive: true });
      for (const { path, content } of files) {
        const target = join(unfinished, path);
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, content);
      }
      await rename(unfinished, dir);
    } catch (error) {
      throw new MillraceError(
        'INTERNAL',
        `the program could not be unpacked to ${dir}: ${messageOf(error)}`,
        {
          cause: error,
          remedy: 'Check that the work directory (workDir) can be written and has room.',
          retryable: true,
        },
      );
    }
    this.#ready.set(hash, dir);
    await this.#evict(hash);
    return dir;
  }

  async #evict(newest: string): Promise<void> {
    for (const [hash, dir] of this.#ready) {
      if (this.#ready.size <= this.#options.programsMax) return;
      if (hash === newest) continue;
      this.#ready.delete(hash);
      await rm(dir, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}
