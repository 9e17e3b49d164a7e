import { randomUUID } from 'node:crypto';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileManifest, FileSettings, TaskContextData, WrittenPart } from '@millrace/api/internal';
import { crashPoint, MillraceError } from '@millrace/common';
import { inodeOf, makeDirectories, STAGING, sizeOf, syncDirectory, writeDurably } from './durable-files.ts';
import { codeOf, failing, unlessAbsent } from './file-failure.ts';
import { conflict, MANIFEST, manifestOf, whoWrote } from './output-manifest.ts';

/** Whoever puts something else into the place of the directory meanwhile is judged again. */
const PLACE_ATTEMPTS = 3;

export type OutputTask = Pick<TaskContextData, 'application' | 'epoch' | 'batchTime' | 'jobId'>;
type Place = Pick<FileSettings, 'directory' | 'stage' | 'call'>;

/** Where attempts write: beside the directory, so that it can be renamed. */
export function stageOf(place: Place, task: OutputTask): string {
  return join(stagesOf(place, task), String(task.batchTime), place.call ?? 'all');
}

/** Of all batches. */
function stagesOf({ directory, stage }: Place, { application }: OutputTask): string {
  return join(dirname(directory), STAGING, application, stage);
}

/** There is a manifest in it, of whomever. */
export async function isComplete(directory: string): Promise<boolean> {
  return failing(directory, async () => (await manifestOf(directory)) !== undefined);
}

/**
 * Makes the directory of an output: of the files that count, and a manifest that names them. It appears by one rename, so it is complete or not there.
 * A rename never replaces a directory that holds something, so of all that may try, in whatever run and however late, one makes it.
 */
export class OutputDirectory {
  readonly #settings: FileSettings;
  readonly #task: OutputTask;
  readonly #directory: string;
  readonly #stage: string;
  /** What this output has replaced. */
  #away: string | undefined;

  constructor(settings: FileSettings, task: OutputTask) {
    this.#settings = settings;
    this.#task = task;
    this.#directory = settings.directory;
    this.#stage = stageOf(settings, task);
  }

  /**
   * May be done again, also at the same time. False: the directory was there already, and stays as it is.
   * @throws MillraceError OUTPUT_WRITE_FAILED, OUTPUT_CONFLICT.
   */
  async commit(): Promise<boolean> {
    const isMade = await failing(this.#directory, async () => {
      if (!(await this.#isDone())) return this.#place(await this.#gather(this.#parts()));
      // Whoever gave it its name may have died before that was on disk.
      await syncDirectory(dirname(this.#directory));
      return false;
    });
    await this.#tidy();
    return isMade;
  }

  #parts(): readonly WrittenPart[] {
    const { parts = [] } = this.#settings;
    return parts.map((part) => {
      if (part !== undefined) return part;
      throw new MillraceError(
        'OUTPUT_WRITE_FAILED',
        `${this.#directory} was complete when its tasks ran, and is gone`,
        {
          remedy: 'Leave it where it is until its batch is committed. The next start writes it anew.',
          retryable: false,
        },
      );
    });
  }

  /** The output is there: it was written before, or the answer of an earlier attempt was lost. @throws MillraceError OUTPUT_CONFLICT. */
  async #isDone(): Promise<boolean> {
    const found = await manifestOf(this.#directory);
    if (found === undefined) return false;
    const { application, epoch, batchTime, jobId } = this.#task;
    const { planHash, output } = this.#settings;
    if (planHash === undefined) return found.application === application && this.#order(found) === 0;
    const isSame =
      found.application === application && found.output === output && found.planHash === planHash;
    if (isSame) return true;
    throw conflict(
      this.#directory,
      `was written by ${whoWrote(found)}, not by ${output} of ${application} in this batch`,
      { epoch, batchTime, job: jobId },
    );
  }

  /** Who wrote it: negative: before this one. */
  #order(found: FileManifest): number {
    const { batchTime, epoch, jobId } = this.#task;
    return found.batchTime - batchTime || found.epoch - epoch || found.job - jobId;
  }

  /** All files under their names in one directory, on disk. An attempt before this one may have moved some. */
  async #gather(parts: readonly WrittenPart[]): Promise<string> {
    const { epoch, jobId } = this.#task;
    const whole = join(this.#stage, `whole-${epoch}-${jobId}`);
    await makeDirectories(whole);
    for (const { file, name, bytes } of parts) {
      const path = join(whole, name);
      await rename(join(this.#stage, file), path).catch(unlessAbsent);
      if ((await sizeOf(path)) !== bytes) throw this.#missing(name);
    }
    const manifest = `${JSON.stringify(this.#manifest(parts), undefined, 1)}\n`;
    const unnamed = join(this.#stage, `manifest-${randomUUID()}`);
    await writeDurably(unnamed, manifest);
    await rename(unnamed, join(whole, MANIFEST));
    await syncDirectory(whole);
    return whole;
  }

  #manifest(parts: readonly WrittenPart[]): FileManifest {
    const { application, epoch, batchTime, jobId } = this.#task;
    const { output, planHash } = this.#settings;
    const sum = (part: 'rows' | 'bytes'): number => parts.reduce((total, each) => total + each[part], 0);
    return {
      format: 'millrace-files',
      version: 1,
      application,
      output,
      batchTime,
      epoch,
      job: jobId,
      ...(planHash !== undefined && { planHash }),
      rows: sum('rows'),
      bytes: sum('bytes'),
      files: parts.map(({ name, rows, bytes, crc32 }) => ({ name, rows, bytes, crc32 })),
    };
  }

  #missing(name: string): MillraceError {
    const { directory } = this.#settings;
    return new MillraceError(
      'OUTPUT_WRITE_FAILED',
      `${name} of ${directory} was written, and is not there to be named`,
      {
        remedy: 'Let all executors see one directory: a shared one when they are on several machines.',
        details: { path: directory },
      },
    );
  }

  async #place(whole: string): Promise<boolean> {
    crashPoint('files-staged');
    for (let attempt = 1; ; attempt++) {
      try {
        await rename(whole, this.#directory);
        await syncDirectory(dirname(this.#directory));
        crashPoint('files-placed');
        return true;
      } catch (error) {
        if (await this.#isDone()) return false;
        if (attempt >= PLACE_ATTEMPTS || !isTaken(error)) throw error;
      }
      await this.#moveAway();
    }
  }

  /** What an earlier call wrote, and nothing else, makes room. @throws MillraceError OUTPUT_CONFLICT. */
  async #moveAway(): Promise<void> {
    const found = await this.#replaceable(this.#directory);
    if (found === undefined) return;
    // Not where another attempt tidies up: it may have to come back.
    const stages = stagesOf(this.#settings, this.#task);
    this.#away = join(stages, `old-${this.#task.batchTime}-${randomUUID()}`);
    await rename(this.#directory, this.#away).catch(unlessAbsent);
    const moved = await manifestOf(this.#away);
    if (moved === undefined || JSON.stringify(moved) === JSON.stringify(found)) return;
    // Somebody was faster between the look and the move; the next look judges that.
    await rename(this.#away, this.#directory);
  }

  /** undefined: it is not there, or is another one by now, or this output. */
  async #replaceable(directory: string): Promise<FileManifest | undefined> {
    const inode = await inodeOf(directory);
    const names = await readdir(directory).catch(unlessAbsent);
    const found = await manifestOf(directory);
    if (names === undefined || (await inodeOf(directory)) !== inode) return undefined;
    const { planHash } = this.#settings;
    const ours = new Set([MANIFEST, ...(found?.files.map(({ name }) => name) ?? [])]);
    const other = names.find((name) => !ours.has(name));
    if (found === undefined || other !== undefined || planHash !== undefined)
      throw conflict(
        directory,
        other === undefined ? 'has no manifest' : `holds "${other}", which no manifest of Millrace names`,
      );
    if (found.planHash !== undefined)
      throw conflict(directory, `was written by ${whoWrote(found)}, and is not replaced`);
    if (found.application === this.#task.application && this.#order(found) > 0)
      throw conflict(directory, `was written by ${whoWrote(found)}, which is later`);
    return found.application === this.#task.application && this.#order(found) === 0 ? undefined : found;
  }

  /** What this output and batches before this one have left. Never throws: nobody reads it. */
  async #tidy(): Promise<void> {
    const stages = stagesOf(this.#settings, this.#task);
    const { batchTime } = this.#task;
    const remove = (path: string) =>
      rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
    await remove(this.#stage);
    if (this.#away !== undefined) await remove(this.#away);
    for (const name of await readdir(stages).catch(() => [])) {
      const [, time] = /^(?:old-)?(\d+)(?:-|$)/.exec(name) ?? [];
      if (time !== undefined && Number(time) < batchTime) await remove(join(stages, name));
    }
    const above = dirname(stages);
    for (const directory of [dirname(this.#stage), stages, above, dirname(above)]) {
      const isGone = await rmdir(directory).then(
        () => true,
        (error: unknown) => codeOf(error) === 'ENOENT',
      );
      if (!isGone) return;
    }
  }
}

/** A directory that holds something is in its place. */
function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST'].includes(codeOf(error));
}
