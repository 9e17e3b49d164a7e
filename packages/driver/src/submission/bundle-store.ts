import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MillraceError } from '@millrace/common';
import { contentHash, unpackBundle } from '@millrace/proto';
import { writeDurably } from './durable-file.ts';
import { type AssertHeld, stateDirLost } from './state-dir.ts';

const HASH = /^[0-9a-f]{64}$/;

/** Programs by content hash: the archives that executors fetch, and the unpacked files that hosts run. */
export class BundleStore {
  readonly #bundles: string;
  readonly #programs: string;
  readonly #assertHeld: AssertHeld;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(stateDir: string, assertHeld: AssertHeld) {
    this.#assertHeld = assertHeld;
    this.#bundles = join(stateDir, 'bundles');
    this.#programs = join(stateDir, 'programs');
  }

  /** Archives are durable; unpacked files are not, so that each driver unpacks anew: what a power cut tore never runs. */
  static async open(stateDir: string, assertHeld: AssertHeld): Promise<BundleStore> {
    const store = new BundleStore(stateDir, assertHeld);
    await rm(store.#programs, { recursive: true, force: true });
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
    await this.#inTurn(async () => {
      if (!(await exists(path))) await writeDurably(path, archive);
    });
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
  unpacked(hash: string): Promise<string> {
    return this.#inTurn(() => this.#unpack(hash));
  }

  /** Removes programs that nobody needs any more, and what a crash left half written. */
  keepOnly(needed: () => ReadonlySet<string>): Promise<void> {
    return this.#inTurn(async () => {
      const hashes = needed();
      for (const directory of [this.#bundles, this.#programs]) {
        for (const entry of await readdir(directory)) {
          if (!hashes.has(entry)) await rm(join(directory, entry), { recursive: true, force: true });
        }
      }
    });
  }

  async #unpack(hash: string): Promise<string> {
    const directory = join(this.#programs, hash);
    if (await exists(directory)) return directory;
    const archive = await this.get(hash);
    if (!archive) {
      throw new MillraceError('PROGRAM_MISSING', `the program ${hash} is not in the state directory`, {
        remedy: 'Submit the job again.',
      });
    }
    const draft = `${directory}.draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft);
    for (const file of unpackBundle(archive)) {
      const path = join(draft, file.path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, file.content, { mode: 0o600 });
    }
    await rename(draft, directory);
    return directory;
  }

  /** One at a time: what one found to be there the next does not remove. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#last
      .then(this.#assertHeld)
      .then(act)
      .catch((error: unknown) => {
        throw stateDirLost(this.#bundles, error);
      });
    this.#last = turn.catch(() => undefined);
    return turn;
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
