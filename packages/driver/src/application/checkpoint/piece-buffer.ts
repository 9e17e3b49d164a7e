import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** What is written at a time; less than that is held in memory. */
export const PIECES_BYTES_MAX = 1 << 20;

/** Consecutive pieces. */
export interface Pieces {
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
}

interface Waiting {
  readonly lengths: number[];
  /** What is in memory: as long as it is little. */
  parts: Uint8Array[];
  fd: number | undefined;
}

/** Pieces that wait to be written together: when they are many, in a file that has no name, and so goes with its process. */
export class PieceBuffer {
  readonly #directory: string;
  #waiting: Waiting = { lengths: [], parts: [], fd: undefined };
  #bytes = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Of all that waits. */
  get bytes(): number {
    return this.#bytes;
  }

  append(piece: Uint8Array): void {
    // It would be a row in the place of the next one.
    if (piece.length === 0) return;
    const waiting = this.#waiting;
    waiting.lengths.push(piece.length);
    waiting.parts.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes <= PIECES_BYTES_MAX) return;
    waiting.fd ??= nameless(this.#directory);
    for (const part of waiting.parts)
      for (let at = 0; at < part.length; ) at += writeSync(waiting.fd, part, at);
    waiting.parts = [];
  }

  /** Takes all that waits, in order; a piece that is too large for one time is several. */
  drain(): Generator<Pieces> {
    return timesOf(this.#take());
  }

  clear(): void {
    const { fd } = this.#take();
    if (fd !== undefined) closeSync(fd);
  }

  #take(): Waiting {
    const taken = this.#waiting;
    this.#waiting = { lengths: [], parts: [], fd: undefined };
    this.#bytes = 0;
    return taken;
  }
}

function* timesOf({ lengths: all, parts, fd }: Waiting): Generator<Pieces> {
  try {
    let at = 0;
    for (const lengths of grouped(all)) {
      const length = lengths.reduce((sum, each) => sum + each, 0);
      yield { lengths, bytes: fd === undefined ? Buffer.concat(parts) : readAt(fd, at, length) };
      at += length;
    }
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function readAt(fd: number, at: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length);
  for (let read = 0; read < length; ) {
    const more = readSync(fd, bytes, read, length - read, at + read);
    if (more === 0) throw new Error('the file of pieces that wait was cut off');
    read += more;
  }
  return bytes;
}

/** Lengths of pieces that are written at a time. A piece is begun at a time that has room for all of it, or is a time's first. */
function* grouped(lengths: readonly number[]): Generator<readonly number[]> {
  let group: number[] = [];
  let bytes = 0;
  for (const length of lengths) {
    if (group.length > 0 && bytes + length > PIECES_BYTES_MAX) {
      yield group;
      group = [];
      bytes = 0;
    }
    let rest = length;
    for (; rest > PIECES_BYTES_MAX; rest -= PIECES_BYTES_MAX) yield [PIECES_BYTES_MAX];
    group.push(rest);
    bytes += rest;
  }
  if (group.length > 0) yield group;
}

/** A new file; it goes when it is closed. */
function nameless(directory: string): number {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `.pieces-${randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  rmSync(path);
  return fd;
}
