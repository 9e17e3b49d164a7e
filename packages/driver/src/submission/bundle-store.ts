import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MillraceError } from '@millrace/common';
import { contentHash, unpackBundle } from '@millrace/proto';
import { syncDirectory, writeDurably } from './durable-file.ts';

const HASH = /^[0-9a-f]{64}$/;

/** Programs by content hash: the archives that executors fetch, and the unpacked files that hosts run. */
export class BundleStore {
  readonly #bundles: string;
  readonly #programs: string;
  #drafts = 0;

  private constructor(stateDir: string) {
    this.#bundles = join(stateDir, 'bundles');
    this.#programs = join(stateDir, 'programs');
  }

  static async open(stateDir: string): Promise<BundleStore> {
    const store = new BundleStore(stateDir);
    for (const directory of [store.#bundles, store.#programs]) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
    }
    return store;
  }

  /**
   * Keeps an archive; nothing is written unless it is what its hash says and every path in it stays inside.
   * @throws MillraceError BAD_REQUEST, MESSAGE_TOO_LARGE.
   */
  async put(hash: string, archive: Uint8Array): Promise<void> {
    if (!HASH.test(hash)) throw new MillraceError('BAD_REQUEST', 'a program hash is 64 hexadecimal digits');
    if (contentHash(archive) !== hash)
      throw new MillraceError('BAD_REQUEST', 'the program is not what its hash says: it arrived damaged');
    unpackBundle(archive);
    const path = join(this.#bundles, hash);
    if (await exists(path)) return;
    // Two of the same program at once each write their own draft; the content is the same.
    const draft = `${path}.${process.pid}-${this.#drafts++}`;
    await writeDurably(draft, archive);
    await rename(draft, path);
    await syncDirectory(this.#bundles);
  }

  /** Undefined: unknown. */
  async get(hash: string): Promise<Uint8Array | undefined> {
    if (!HASH.test(hash)) return undefined;
    try {
      return await readFile(join(this.#bundles, hash));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Directory with the program's files. @throws MillraceError PROGRAM_MISSING. */
  async unpacked(hash: string): Promise<string> {
    const directory = join(this.#programs, hash);
    if (await exists(directory)) return directory;
    const archive = await this.get(hash);
    if (!archive) {
      throw new MillraceError('PROGRAM_MISSING', `the program ${hash} is not in the state directory`, {
        remedy: 'Submit the job again.',
      });
    }
    const draft = `${directory}.${process.pid}-${this.#drafts++}`;
    for (const file of unpackBundle(archive)) {
      const path = join(draft, file.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.content, { mode: 0o600 });
    }
    await mkdir(draft, { recursive: true });
    try {
      await rename(draft, directory);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!(await exists(directory))) throw error;
    }
    return directory;
  }

  /** Removes programs that nobody needs any more, and what a crash left half written. */
  async keepOnly(hashes: ReadonlySet<string>): Promise<void> {
    for (const directory of [this.#bundles, this.#programs]) {
      for (const entry of await readdir(directory)) {
        if (!hashes.has(entry)) await rm(join(directory, entry), { recursive: true, force: true });
      }
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
