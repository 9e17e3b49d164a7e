import { resolve } from 'node:path';
import { promisify, types } from 'node:util';
import { deserialize } from 'node:v8';
import { gzip } from 'node:zlib';
import type { FileSettings, WrittenPart } from '@millrace/api/internal';
import { MillraceError, messageOf } from '@millrace/common';
import type { ActionMessage } from '@millrace/proto/task';
import { isComplete, OutputDirectory, stageOf } from './output-directory.ts';
import { PartFile, partName } from './part-file.ts';
import { unfit } from './record-parts.ts';
import type { SinkRequest, TaskSink } from './task-sink.ts';

const zip = promisify(gzip);

const BUFFER_BYTES = 256 * 1024;
// A UTF-16 unit takes at most 3 bytes.
const UNIT_BYTES_MAX = 3;

/** The rows of one task as lines of one file; of none when the directory of the batch is complete: then they are only looked at. */
export class FileTaskSink implements TaskSink {
  isFull = false;
  readonly #settings: FileSettings;
  readonly #file: PartFile;
  readonly #lineOf: (row: unknown) => string;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #at = 0;
  #rows = 0;
  /** Undefined: not known yet. */
  #isThere: boolean | undefined;

  constructor({ action, task }: SinkRequest) {
    this.#settings = settingsOf(action);
    const { format, isCompressed } = this.#settings;
    this.#file = new PartFile(stageOf(this.#settings, task), partName(task.partitionId, isCompressed));
    this.#lineOf = format === 'json' ? jsonLine : textLine;
  }

  /** @throws MillraceError VALUE_ENCODE. */
  write(row: unknown): void {
    const line = this.#lineOf(row);
    this.#reserve(line.length * UNIT_BYTES_MAX + 1);
    this.#at += this.#buffer.write(line, this.#at, 'utf8');
    this.#buffer[this.#at++] = 0x0a;
    this.#rows += 1;
    if (this.#at >= BUFFER_BYTES / 2) this.isFull = true;
  }

  async ready(): Promise<void> {
    const { directory, planHash, isCompressed } = this.#settings;
    this.#isThere ??= planHash !== undefined && (await isComplete(directory));
    const lines = this.#buffer.subarray(0, this.#isThere ? 0 : this.#at);
    // Members of a gzip file may follow each other: what is written does not wait in a compressor.
    if (lines.length > 0) await this.#file.write(isCompressed ? await zip(lines) : lines);
    if (this.#buffer.length > BUFFER_BYTES) this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    this.#at = 0;
    this.isFull = false;
  }

  async finish(): Promise<WrittenPart | undefined> {
    await this.ready();
    if (this.#isThere === true) return undefined;
    if (this.#rows === 0 && this.#settings.isCompressed) await this.#file.write(await zip(Buffer.alloc(0)));
    return this.#file.finish(this.#rows);
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}

/** A task of no rows: what the other ones wrote becomes a directory. */
export class FileStep implements TaskSink {
  readonly isFull = false;
  readonly #directory: OutputDirectory;

  constructor({ action, task }: SinkRequest) {
    this.#directory = new OutputDirectory(settingsOf(action), task);
  }

  async ready(): Promise<void> {}

  async finish(): Promise<boolean> {
    return this.#directory.commit();
  }

  async abort(): Promise<void> {}
}

function settingsOf({ value }: ActionMessage): FileSettings {
  if (value === undefined) throw new MillraceError('INTERNAL', 'a sink has no settings');
  const settings = deserialize(value) as FileSettings;
  // Without a slash at its end, and whole: what is beside it is named.
  return { ...settings, directory: resolve(settings.directory) };
}

function textLine(row: unknown): string {
  return typeof row === 'string' ? row : jsonLine(row);
}

function jsonLine(row: unknown): string {
  let why = 'it is not data';
  try {
    const text = types.isPromise(row) ? undefined : (JSON.stringify(row) as string | undefined);
    if (text !== undefined) return text;
  } catch (error) {
    why = messageOf(error);
  }
  throw unfit(`a row cannot be written as JSON: ${why}`, 'Map rows to texts, or to plain data.');
}
