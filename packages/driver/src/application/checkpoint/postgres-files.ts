import { invariant, type MillraceError } from '@millrace/common';
import { corruptState, STATE_HEADER_BYTES_MAX } from '@millrace/proto/task';
import type { LogFile, LogFiles } from '../log/log-files.ts';
import type { StateFile, StateFiles } from '../state/state-files.ts';
import type { CheckpointFiles } from './checkpoint-store.ts';
import { PieceBuffer } from './piece-buffer.ts';
import type { PostgresRows } from './postgres-rows.ts';
import { WriteQueue } from './write-queue.ts';

const LOG = 'log';
const STATE = 'log/state';

/** Rows of state that one statement removes: of some megabytes. */
const REMOVED_AT_ONCE = 16;

interface Piece {
  readonly at: number;
  readonly length: number;
  /** Of state: its header, or nothing of what was written here: only a start reads it. */
  readonly bytes: Uint8Array;
}

interface PostgresFilesOptions {
  readonly rows: PostgresRows;
  readonly application: string;
  /** For messages. */
  readonly where: string;
  /** What of state waits to be written, and is much, waits in files here. */
  readonly waitingDirectory: string;
  /** Of what keeps the application from being taken. */
  readonly failure: (error: unknown) => MillraceError;
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
  readonly #options: PostgresFilesOptions;
  readonly #queue = new WriteQueue();
  #directories: readonly string[] = [];
  #files: FileMap = new Map();
  #token: string | undefined;

  constructor(options: PostgresFilesOptions) {
    this.#options = options;
    this.log = this.#logFiles();
    this.state = this.#stateFiles();
  }

  async load(): Promise<void> {
    const { rows, application } = this.#options;
    this.#directories = await rows.directories(application);
    const files: FileMap = new Map();
    for (const { directory, name, ...piece } of await rows.load(application, STATE_HEADER_BYTES_MAX)) {
      const of = files.get(directory) ?? new Map<string, Piece[]>();
      files.set(directory, of);
      const pieces = of.get(name) ?? [];
      of.set(name, pieces);
      pieces.push(piece);
    }
    this.#files = files;
  }

  #logFiles(): LogFiles {
    const { rows, application, where, failure } = this.#options;
    return {
      where,
      take: async () => {
        try {
          this.#token = await rows.take(application);
          // Only now: what the holder before wrote until it lost the token counts.
          await this.load();
        } catch (error) {
          throw failure(error);
        }
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
        this.#put(name, -1, new Uint8Array());
        return this.#logFile(name);
      },
      publish: (name, content) => {
        this.#put(name, 0, content);
        return this.#logFile(name);
      },
      remove: (name) => this.#remove(LOG, name),
      setAside: (why) => {
        let aside = `${LOG}-${why}`;
        for (let other = 2; this.#directories.includes(aside); other++) aside = `${LOG}-${why}-${other}`;
        this.#write((token) => rows.rename(application, token, LOG, aside));
        this.#directories = [...this.#directories, aside];
        this.#files = new Map();
        return `${where}: ${aside}`;
      },
    };
  }

  #stateFiles(): StateFiles {
    return {
      where: `${this.#options.where}: ${STATE}`,
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
        this.#put(name, sizeOf(this.#in(LOG).get(name) ?? []), bytes);
      },
      close: () => undefined,
    };
  }

  #stateFile(name: string): StateFile {
    if (this.#in(STATE).has(name)) throw new Error(`EEXIST: there is a file ${name}`);
    this.#in(STATE).set(name, []);
    const { rows, application, waitingDirectory } = this.#options;
    const waiting = new PieceBuffer(waitingDirectory);
    let end = 0;
    return {
      append: (bytes) => {
        this.#keep(STATE, name, sizeOf(this.#in(STATE).get(name) ?? []), bytes);
        waiting.append(bytes);
      },
      // Each part is a write of its own: nobody has to wait for a lock that a stopped holder keeps, and what is not whole is not named by the log.
      sync: async () => {
        let at = end;
        end += waiting.bytes;
        for (const pieces of waiting.drain()) {
          const part = { directory: STATE, name, at, ...pieces };
          at += pieces.bytes.length;
          this.#write((token) => rows.insert(application, token, part));
          await this.#queue.settled();
        }
        await this.#queue.settled();
      },
      close: () => waiting.clear(),
    };
  }

  #in(directory: string): Map<string, Piece[]> {
    const found = this.#files.get(directory) ?? new Map<string, Piece[]>();
    this.#files.set(directory, found);
    return found;
  }

  #put(name: string, at: number, bytes: Uint8Array): void {
    const { rows, application } = this.#options;
    this.#keep(LOG, name, at, bytes);
    const part = { directory: LOG, name, at, lengths: [bytes.length], bytes };
    this.#write((token) => rows.insert(application, token, part));
  }

  #keep(directory: string, name: string, at: number, bytes: Uint8Array): void {
    const pieces = this.#in(directory).get(name) ?? [];
    pieces.push({ at, length: bytes.length, bytes: directory === LOG ? bytes : new Uint8Array() });
    this.#in(directory).set(name, pieces);
  }

  #remove(directory: string, name: string): void {
    const { rows, application } = this.#options;
    this.#in(directory).delete(name);
    // Of a log all or nothing goes; state may be much.
    const atOnce = directory === LOG ? undefined : REMOVED_AT_ONCE;
    this.#write((token) => rows.remove(application, token, { directory, name, atOnce }));
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
