import { invariant } from '@millrace/common';
import { corruptState, STATE_HEADER_BYTES_MAX } from '@millrace/proto/task';
import type { LogFile, LogFiles } from '../log/log-files.ts';
import type { StateFile, StateFiles } from '../state/state-files.ts';
import type { CheckpointFiles } from './checkpoint-store.ts';
import type { FileRow, PostgresRows } from './postgres-rows.ts';
import { WriteQueue } from './write-queue.ts';

const LOG = 'log';
const STATE = 'log/state';

interface Piece {
  readonly at: number;
  readonly length: number;
  /** Of state: its header, or nothing of what was written here: only a start reads it. */
  readonly bytes: Uint8Array;
}

/** By directory and name. */
type FileMap = Map<string, Map<string, Piece[]>>;

/**
 * The files of one application in PostgreSQL. Reads are of what was there when they were opened or taken, and of what was written since; writes are
 * made behind the back of the caller, who waits for them with `settled`.
 */
export class PostgresFiles implements CheckpointFiles {
  readonly log: LogFiles;
  readonly state: StateFiles;
  readonly #rows: PostgresRows;
  readonly #application: string;
  readonly #where: string;
  readonly #queue = new WriteQueue();
  #directories: readonly string[] = [];
  #files: FileMap = new Map();
  #token: string | undefined;

  constructor(rows: PostgresRows, application: string, where: string) {
    this.#rows = rows;
    this.#application = application;
    this.#where = where;
    this.log = this.#logFiles();
    this.state = this.#stateFiles();
  }

  async load(): Promise<void> {
    this.#directories = await this.#rows.directories(this.#application);
    const rows = await this.#rows.load(this.#application, STATE_HEADER_BYTES_MAX);
    const files: FileMap = new Map();
    for (const { directory, name, ...piece } of rows) {
      const of = files.get(directory) ?? new Map<string, Piece[]>();
      files.set(directory, of);
      const pieces = of.get(name) ?? [];
      of.set(name, pieces);
      pieces.push(piece);
    }
    this.#files = files;
  }

  #logFiles(): LogFiles {
    return {
      where: this.#where,
      take: async () => {
        this.#token = await this.#rows.take(this.#application);
        // Only now: what the holder before wrote until it lost the token counts.
        await this.load();
      },
      settled: () => this.#queue.settled(),
      list: () => [...this.#in(LOG).keys()],
      read: (name) => {
        const pieces = this.#in(LOG).get(name);
        if (!pieces) throw new Error('there is none');
        return Buffer.concat(pieces.map(({ bytes }) => bytes));
      },
      create: (name) => {
        if (this.#in(LOG).has(name)) return undefined;
        this.#put([{ directory: LOG, name, at: -1, bytes: new Uint8Array() }]);
        return this.#logFile(name);
      },
      publish: (name, content) => {
        this.#put([{ directory: LOG, name, at: 0, bytes: content }]);
        return this.#logFile(name);
      },
      remove: (name) => this.#remove(LOG, name),
      setAside: (why) => {
        let aside = `${LOG}-${why}`;
        for (let other = 2; this.#directories.includes(aside); other++) aside = `${LOG}-${why}-${other}`;
        this.#write((token) => this.#rows.rename(this.#application, token, LOG, aside));
        this.#directories = [...this.#directories, aside];
        this.#files = new Map();
        return `${this.#where}: ${aside}`;
      },
    };
  }

  #stateFiles(): StateFiles {
    return {
      where: `${this.#where}: ${STATE}`,
      list: () => [...this.#in(STATE).keys()],
      create: (name) => this.#stateFile(name),
      read: (name, offset, bytes) => {
        const piece = this.#in(STATE)
          .get(name)
          ?.find(({ at, length }) => at <= offset && at + length > offset);
        if (!piece) throw corruptState(name, 'there is none, or it is cut off');
        return piece.bytes.subarray(offset - piece.at, offset - piece.at + bytes);
      },
      size: (name) => {
        const pieces = this.#in(STATE).get(name);
        return pieces && sizeOf(pieces);
      },
      remove: (name) => this.#remove(STATE, name),
    };
  }

  #logFile(name: string): LogFile {
    return {
      append: (bytes) => {
        this.#put([{ directory: LOG, name, at: sizeOf(this.#in(LOG).get(name) ?? []), bytes }]);
      },
      close: () => undefined,
    };
  }

  #stateFile(name: string): StateFile {
    if (this.#in(STATE).has(name)) throw new Error(`EEXIST: there is a file ${name}`);
    this.#in(STATE).set(name, []);
    let rows: FileRow[] = [];
    return {
      append: (bytes) => {
        const pieces = this.#in(STATE).get(name) ?? [];
        rows.push({ directory: STATE, name, at: sizeOf(pieces), bytes });
        this.#keep(STATE, name, sizeOf(pieces), bytes);
      },
      sync: () => {
        const written = rows;
        rows = [];
        this.#write((token) => this.#rows.insert(this.#application, token, written));
        return this.#queue.settled();
      },
      close: () => undefined,
    };
  }

  #in(directory: string): Map<string, Piece[]> {
    const found = this.#files.get(directory) ?? new Map<string, Piece[]>();
    this.#files.set(directory, found);
    return found;
  }

  #put(rows: readonly FileRow[]): void {
    for (const { directory, name, at, bytes } of rows) this.#keep(directory, name, at, bytes);
    this.#write((token) => this.#rows.insert(this.#application, token, rows));
  }

  #keep(directory: string, name: string, at: number, bytes: Uint8Array): void {
    const pieces = this.#in(directory).get(name) ?? [];
    pieces.push({ at, length: bytes.length, bytes: directory === LOG ? bytes : new Uint8Array() });
    this.#in(directory).set(name, pieces);
  }

  #remove(directory: string, name: string): void {
    this.#in(directory).delete(name);
    this.#write((token) => this.#rows.remove(this.#application, token, directory, name));
  }

  #write(write: (token: string) => Promise<void>): void {
    const token = this.#token;
    invariant(token !== undefined, 'the files were taken before they are written');
    this.#queue.push(() => write(token));
  }
}

function sizeOf(pieces: readonly Piece[]): number {
  const last = pieces.at(-1);
  return last === undefined || last.at < 0 ? 0 : last.at + last.length;
}
