import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Clock, isAlive, type Logger, MillraceError, type Timer } from '@millrace/common';
import { makeDirectory, stateDirLost } from './state-dir.ts';

const REFRESH_MS = 5_000;
/** A lock of another machine (or container) that was not refreshed for so long belongs to nobody. */
const STALE_MS = 20_000;
const ROUNDS_MAX = 20;

interface Holder {
  readonly pid: number;
  /** Start of the process in ticks since boot: pids are used again. '' where it cannot be known. */
  readonly started: string;
  readonly host: string;
  readonly released?: true;
}

/**
 * Keeps a second driver off a state directory: files `lock/<generation>`, and the newest one counts. A lock is taken by the exclusive
 * creation of the next generation, never by removing one, so of many who find a dead holder's lock at once exactly one gets it.
 */
export class StateLock {
  readonly #directory: string;
  readonly #generation: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #refresh: Timer | undefined;
  #released = false;
  readonly #lost = new AbortController();

  private constructor(directory: string, generation: number, clock: Clock, logger: Logger) {
    this.#directory = directory;
    this.#generation = generation;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @throws MillraceError STATE_DIR_IN_USE. A lock whose holder is gone is taken over. */
  static async take(stateDir: string, clock: Clock, logger: Logger): Promise<StateLock> {
    const directory = join(stateDir, 'lock');
    await makeDirectory(directory);
    const mine: Holder = { pid: process.pid, started: await startOf(process.pid), host: hostname() };
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const newest = await newestIn(directory);
      const holder = newest === 0 ? undefined : await holderOf(join(directory, `${newest}`));
      if (holder && (await isHeld(holder, join(directory, `${newest}`), clock)))
        throw inUse(stateDir, holder);
      const path = join(directory, `${newest + 1}`);
      if (!(await created(path, JSON.stringify(mine)))) continue;
      // Who was slow may have created a generation below one that was taken meanwhile.
      if ((await newestIn(directory)) !== newest + 1) {
        await rm(path, { force: true });
        continue;
      }
      await removeBelow(directory, newest + 1);
      const lock = new StateLock(directory, newest + 1, clock, logger);
      lock.#refreshLater();
      return lock;
    }
    throw inUse(stateDir, undefined);
  }

  /** Aborted, with FENCED, when it is found that another driver has taken over: this one stood still for too long. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get #path(): string {
    return join(this.#directory, `${this.#generation}`);
  }

  /** Before anything in the state directory is changed. @throws MillraceError FENCED. */
  readonly assertHeld = async (): Promise<void> => {
    const newest = await newestIn(this.#directory).catch((error: unknown) => {
      throw stateDirLost(this.#directory, error);
    });
    if (!this.#released && newest > this.#generation) this.#lost.abort(overtaken(this.#directory));
    this.lost.throwIfAborted();
  };

  /** The file stays and says that nobody holds it: generations only grow. */
  async release(): Promise<void> {
    this.#released = true;
    this.#refresh?.cancel();
    if (this.lost.aborted) return;
    const released: Holder = { pid: 0, started: '', host: '', released: true };
    await writeFile(`${this.#path}.released`, JSON.stringify(released), { mode: 0o600 });
    await rename(`${this.#path}.released`, this.#path);
  }

  #refreshLater(): void {
    const refresh = async (): Promise<void> => {
      const seconds = this.#clock.now() / 1000;
      try {
        await this.assertHeld();
        await utimes(this.#path, seconds, seconds);
      } catch (error) {
        this.#logger.warn({ err: error }, 'the lock of the state directory could not be refreshed');
      }
      if (!this.#released && !this.lost.aborted) this.#refreshLater();
    };
    this.#refresh = this.#clock.schedule(REFRESH_MS, () => void refresh(), { unref: true });
  }
}

async function newestIn(directory: string): Promise<number> {
  const generations = (await readdir(directory)).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  return Math.max(0, ...generations);
}

async function removeBelow(directory: string, generation: number): Promise<void> {
  for (const name of await readdir(directory)) {
    if (/^[0-9]+$/.test(name) && Number(name) < generation) await rm(join(directory, name), { force: true });
  }
}

/** False: somebody else was first. */
async function created(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Being written, or cut by a crash: its age decides.
    return { pid: 0, started: '', host: '' };
  }
}

async function isHeld(holder: Holder, path: string, clock: Clock): Promise<boolean> {
  if (holder.released === true) return false;
  if (holder.host !== hostname()) {
    const mtimeMs = await stat(path).then(
      (found) => found.mtimeMs,
      // Removed by who took the next generation: look again.
      () => Number.NEGATIVE_INFINITY,
    );
    return clock.now() - mtimeMs < STALE_MS;
  }
  return isAlive(holder.pid) && (holder.started === '' || holder.started === (await startOf(holder.pid)));
}

/** Field 22 of /proc/<pid>/stat; '' elsewhere than on Linux. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function overtaken(directory: string): MillraceError {
  return new MillraceError('FENCED', `another driver has taken over the state directory (${directory})`, {
    remedy:
      'This driver stood still for too long. The other one runs its applications: nothing is to be done.',
  });
}

function inUse(stateDir: string, holder: Holder | undefined): MillraceError {
  const who = holder && holder.pid > 0 ? `process ${holder.pid} on ${holder.host}` : 'another driver';
  return new MillraceError('STATE_DIR_IN_USE', `${who} uses the state directory ${stateDir}`, {
    remedy: 'End that driver, or give this one a state directory of its own (--state-dir).',
    details: { stateDir, pid: holder?.pid ?? 0 },
  });
}
