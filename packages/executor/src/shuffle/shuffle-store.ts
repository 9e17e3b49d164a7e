import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '@millrace/common';
import { type DroppedOutputs, evictableDataset } from './block-name.ts';
import { CachedDatasets } from './cached-datasets.ts';
import { missingBlock, overDiskBound, readFailure } from './shuffle-failure.ts';
import {
  type FileRange,
  openShuffleFile,
  readExactly,
  readIndex,
  type ShuffleIndex,
  withShuffleFile,
} from './shuffle-file.ts';
import type { BlockSource } from './shuffle-reader.ts';

export interface ShuffleStoreOptions {
  /** Of this store's own. */
  readonly directory: string;
  /** Bytes that all files together may take. */
  readonly bytesMax: number;
  /** Bytes of them that may be datasets that can be given up; absent: all. */
  readonly cacheBytesMax?: number;
}

/** The file of one attempt of a map task. */
export interface MapOutputName {
  /** Directory name: app/epoch/batch/job/stage. */
  readonly shuffle: string;
  readonly mapPartition: number;
  readonly attempt: number;
}

/** A bucket as it is sent has chunks of at most so many bytes. */
const CHUNK_BYTES = 1024 * 1024;
/** Segments of all indexes in memory: 20 bytes each. */
const CACHED_SEGMENTS_MAX = 1_000_000;

/**
 * The shuffle files of this executor: slots write them, the supervisor admits, serves and drops them. A file that vanishes is missing
 * from then on, and breaks nothing else.
 */
export class ShuffleStore {
  readonly #options: ShuffleStoreOptions;
  /** Name of a file → its bytes. Only what is here is served: no name of a request reaches the file system. */
  readonly #files = new Map<string, number>();
  /** Of files that were read, the last used at the end. */
  readonly #indexes = new Map<string, ShuffleIndex>();
  #cachedSegments = 0;
  #bytes = 0;
  readonly #cached = new CachedDatasets();

  constructor(options: ShuffleStoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#files.size;
  }

  /** Of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where a slot writes the file. @throws MillraceError BAD_REQUEST for a name that leads elsewhere. */
  path(name: MapOutputName): string {
    return mapOutputPath(this.#options.directory, name);
  }

  /**
   * Makes a finished file known. Idempotent.
   * @throws MillraceError BLOCK_MISSING when it is not there; SHUFFLE_DISK when it does not fit: it is removed then.
   */
  async admit(name: MapOutputName): Promise<void> {
    const path = this.path(name);
    const { size } = await stat(path).catch((error: unknown) => Promise.reject(readFailure(error, path)));
    const file = fileName(name);
    this.#forget(file);
    await this.#makeRoom(file, size);
    const bytes = this.#bytes + size;
    if (bytes > this.#options.bytesMax) {
      await rm(path, { force: true });
      throw overDiskBound(bytes, this.#options.bytesMax, path);
    }
    this.#files.set(file, size);
    this.#bytes = bytes;
    this.#cached.add(file, size);
  }

  /** Where a bucket is, for a slot of this machine. @throws MillraceError BLOCK_MISSING, BLOCK_CORRUPT. */
  async source(name: MapOutputName, bucket: number): Promise<BlockSource> {
    const { shuffle, mapPartition, attempt } = name;
    return {
      path: this.path(name),
      ranges: await this.#ranges(name, bucket),
      details: { shuffle, mapPartition, attempt, bucket },
    };
  }

  /**
   * A bucket as chunks of bounded size, read when they are asked for. Its bytes are not checked here: who decodes them does.
   * @throws MillraceError BLOCK_MISSING, BLOCK_CORRUPT.
   */
  async *read(name: MapOutputName, bucket: number): AsyncGenerator<Buffer, void, undefined> {
    const ranges = await this.#ranges(name, bucket);
    const path = this.path(name);
    const file = await openShuffleFile(path).catch((error: unknown) => this.#failed(name, bucket, error));
    try {
      for (const range of ranges) {
        for (const part of chunksOfRange(range)) yield await readExactly(file, part, { path });
      }
    } finally {
      await file.close();
    }
  }

  /**
   * Removes all files whose name starts with `prefix` (whole path segments: "app/3/"), and what tasks that failed left there. Readers that
   * are at it read on. Idempotent; what the disk refuses to remove stays until the work directory goes.
   */
  async drop(prefix: string): Promise<void> {
    const directory = `${safePath(prefix.replace(/\/$/, ''))}/`;
    for (const file of this.#files.keys()) if (file.startsWith(directory)) this.#forget(file);
    await rm(join(this.#options.directory, directory), { recursive: true, force: true }).catch(
      () => undefined,
    );
  }

  /** Removes the files of older epochs of an application. As `drop`. */
  async dropEpochs(application: string, belowEpoch: number): Promise<void> {
    await this.#dropNumbered(application, (epoch) => epoch < belowEpoch);
  }

  /** Removes the files of a batch and of those before it: a task that was killed late may have left some. As `drop`. */
  async dropBatch(application: string, epoch: number, batchTime: number): Promise<void> {
    await this.#dropNumbered(`${application}/${epoch}`, (time) => time <= batchTime);
  }

  /** As `drop`, or as `dropBatch`. */
  async dropOutputs(what: DroppedOutputs): Promise<void> {
    if ('kept' in what) await this.drop(what.kept);
    else await this.dropBatch(what.application, what.epoch, what.batchTime);
  }

  /**
   * Gives up datasets that may be, the least recently used first, until this file fits among its like, or into what is left of all.
   * Never the dataset of the file itself: of a dataset that is larger than its bound all is kept, as long as the disk has room.
   */
  async #makeRoom(file: string, size: number): Promise<void> {
    const { bytesMax, cacheBytesMax = bytesMax } = this.#options;
    const own = evictableDataset(file);
    const isFull = (): boolean =>
      this.#bytes + size > bytesMax || (own !== undefined && this.#cached.bytes + size > cacheBytesMax);
    for (const dataset of this.#cached.leastRecentlyUsed()) {
      if (!isFull()) return;
      if (dataset !== own) await this.#giveUp(dataset);
    }
  }

  /** Its files, and not what a task is writing there now. */
  async #giveUp(dataset: string): Promise<void> {
    const files = [...this.#files.keys()].filter((file) => file.startsWith(dataset));
    for (const file of files) this.#forget(file);
    for (const file of files)
      await rm(join(this.#options.directory, file), { force: true }).catch(() => undefined);
  }

  async #dropNumbered(parent: string, isMeant: (child: number) => boolean): Promise<void> {
    const directory = join(this.#options.directory, safePath(parent));
    const children = await readdir(directory).catch((): string[] => []);
    for (const child of children) if (isMeant(Number(child))) await this.drop(`${parent}/${child}/`);
  }

  async #ranges(name: MapOutputName, bucket: number): Promise<readonly FileRange[]> {
    const file = fileName(name);
    if (!this.#files.has(file)) throw missingBlock(`${file}/${bucket}`);
    this.#cached.use(file);
    const known = this.#indexes.get(file);
    const index =
      known ?? (await this.#readIndex(name).catch((error: unknown) => this.#failed(name, bucket, error)));
    this.#cache(file, index);
    return index.ranges(bucket);
  }

  /** A file that has vanished is not here any more. */
  #failed(name: MapOutputName, bucket: number, error: unknown): never {
    if (!MillraceError.is(error, 'BLOCK_MISSING')) throw error;
    const file = fileName(name);
    this.#forget(file);
    throw missingBlock(`${file}/${bucket}`, error);
  }

  async #readIndex(name: MapOutputName): Promise<ShuffleIndex> {
    const path = this.path(name);
    return withShuffleFile(path, (file) => readIndex(file, path));
  }

  #cache(file: string, index: ShuffleIndex): void {
    this.#uncache(file);
    // It may have been dropped while it was read.
    if (!this.#files.has(file)) return;
    this.#indexes.set(file, index);
    this.#cachedSegments += index.segments;
    for (const oldest of this.#indexes.keys()) {
      if (this.#cachedSegments <= CACHED_SEGMENTS_MAX || oldest === file) break;
      this.#uncache(oldest);
    }
  }

  #uncache(file: string): void {
    this.#cachedSegments -= this.#indexes.get(file)?.segments ?? 0;
    this.#indexes.delete(file);
  }

  #forget(file: string): void {
    this.#uncache(file);
    const bytes = this.#files.get(file) ?? 0;
    this.#bytes -= bytes;
    if (this.#files.has(file)) this.#cached.remove(file, bytes);
    this.#files.delete(file);
  }
}

/** Where the file of a map attempt is, below the directory of the store. @throws MillraceError BAD_REQUEST for a name that leads elsewhere. */
export function mapOutputPath(directory: string, name: MapOutputName): string {
  return join(directory, fileName(name));
}

function* chunksOfRange({ offset, bytes }: FileRange): Generator<FileRange> {
  for (let at = 0; at < bytes; at += CHUNK_BYTES) {
    yield { offset: offset + at, bytes: Math.min(CHUNK_BYTES, bytes - at) };
  }
}

function fileName({ shuffle, mapPartition, attempt }: MapOutputName): string {
  return safePath(`${shuffle}/${mapPartition}-${attempt}`);
}

/** @throws MillraceError BAD_REQUEST when it would lead out of the directory, or to itself. */
function safePath(path: string): string {
  const isUnsafe = (part: string): boolean =>
    part === '' || part === '.' || part === '..' || part.includes('\0') || part.includes('\\');
  if (!path.split('/').some(isUnsafe)) return path;
  throw new MillraceError('BAD_REQUEST', `${JSON.stringify(path)} names no shuffle file`);
}
