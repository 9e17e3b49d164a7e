import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Logger, Timer } from '@millrace/common';

export interface OutputLogOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The file and one older one have at most this many bytes each. */
  readonly bytesMax: number;
}

const FLUSH_MS = 50;
const FLUSH_CHARS = 64 * 1024;
const TAIL_BYTES_MAX = 1024 * 1024;

/**
 * What the hosts of an application printed, in a file of bounded size: full, it becomes `<path>.1`. A disk that does not take it
 * costs lines (and a warning), never the application.
 */
export class OutputLog {
  readonly #options: OutputLogOptions;
  #file: number | undefined;
  #bytes = 0;
  #buffer: string[] = [];
  #bufferedChars = 0;
  #flushing: Timer | undefined;
  #warned = false;
  readonly #followers = new Set<(line: string) => void>();

  private constructor(options: OutputLogOptions) {
    this.#options = options;
  }

  static async open(options: OutputLogOptions): Promise<OutputLog> {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o700 });
    return new OutputLog(options);
  }

  append(text: string): void {
    const { clock } = this.#options;
    const line = `${new Date(clock.now()).toISOString()} ${text}`;
    this.#buffer.push(line);
    this.#bufferedChars += line.length;
    for (const follower of this.#followers) follower(line);
    if (this.#bufferedChars >= FLUSH_CHARS) this.flush();
    else this.#flushing ??= clock.schedule(FLUSH_MS, () => this.flush(), { unref: true });
  }

  flush(): void {
    this.#flushing?.cancel();
    this.#flushing = undefined;
    if (this.#buffer.length === 0) return;
    const bytes = Buffer.from(`${this.#buffer.join('\n')}\n`);
    this.#buffer = [];
    this.#bufferedChars = 0;
    try {
      this.#write(bytes);
    } catch (error) {
      if (!this.#warned)
        this.#options.logger.warn({ err: error, path: this.#options.path }, 'application log not written');
      this.#warned = true;
    }
  }

  #write(bytes: Buffer): void {
    const { path, bytesMax } = this.#options;
    if (this.#file !== undefined && this.#bytes + bytes.length > bytesMax) {
      closeSync(this.#file);
      this.#file = undefined;
      renameSync(path, `${path}.1`);
    }
    if (this.#file === undefined) {
      this.#file = openSync(path, 'a', 0o600);
      this.#bytes = fstatSync(this.#file).size;
    }
    writeSync(this.#file, bytes);
    this.#bytes += bytes.length;
  }

  /** The last lines, oldest first; those of the last MiB at most. 0: none. */
  tail(lines: number): readonly string[] {
    this.flush();
    if (lines === 0) return [];
    const { path } = this.#options;
    const current = lastBytes(path);
    const text = current.length < TAIL_BYTES_MAX ? lastBytes(`${path}.1`) + current : current;
    const found = text.split('\n');
    found.pop();
    return found.slice(-lines);
  }

  /** Hears every line from now on. Returns what ends it. */
  follow(onLine: (line: string) => void): () => void {
    this.#followers.add(onLine);
    return () => this.#followers.delete(onLine);
  }

  close(): void {
    this.flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

function lastBytes(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, TAIL_BYTES_MAX);
    const buffer = Buffer.alloc(length);
    const read = readSync(file, buffer, 0, length, size - length);
    const text = buffer.toString('utf8', 0, read);
    // The first line is cut.
    return length < size ? text.slice(text.indexOf('\n') + 1) : text;
  } finally {
    closeSync(file);
  }
}
