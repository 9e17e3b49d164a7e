import { type ErrorDetails, MillraceError } from '@millrace/common';
import { crc32c } from '@node-rs/crc32';
import { readColumns } from './column-reader.ts';
import { columnsBytes, planColumn, writeColumns } from './column-writer.ts';
import { corruptBlock } from './shuffle-failure.ts';

/*
 * A block, in 32-bit words of the machine's order (another order is refused as damage; V8's format would not survive it either):
 *   magic · CRC-32C of all that follows · bytes of the block · rows · columns · role
 *   a column: kind · width of a length · bytes · 0
 * then the columns, each padded with zeros to 8 bytes. All starts are multiples of 8, so that numbers are read where they are.
 */
const MAGIC = 0x4d52_4231;
const HEADER_WORDS = 6;
/** Bytes that tell how long a block is. */
export const BLOCK_HEADER_BYTES = HEADER_WORDS * 4;
/** A block is no longer; one row may fill it. Below it V8 can still make one text of a column. */
export const BLOCK_BYTES_MAX = 512 * 1024 * 1024;
const COLUMNS_MAX = 16;

/**
 * What the columns of a block are, where that is not always the same. ROWS: keys and values. NUMBERED: the same, but that a key is the number of a text
 * among those of the TEXTS before it in its bucket; TEXTS_ANEW: the first of its texts has number 0.
 */
export const ROLE = { ROWS: 0, TEXTS: 1, TEXTS_ANEW: 2, NUMBERED: 3 } as const;
export type Role = (typeof ROLE)[keyof typeof ROLE];

export interface ColumnBlock {
  readonly rows: number;
  readonly columns: ReadonlyArray<ArrayLike<unknown>>;
  /** A Role, if it is not damaged. */
  readonly role: number;
}

/**
 * Columns of one length as a block. Values must be movable (detached) already.
 * @throws MillraceError RESULT_TOO_LARGE above BLOCK_BYTES_MAX; what V8's serialization throws.
 */
export function encodeColumns(columns: ReadonlyArray<readonly unknown[]>, role: Role = ROLE.ROWS): Buffer {
  const plans = columns.map((values) => planColumn(values));
  const bytes = BLOCK_HEADER_BYTES + columnsBytes(plans);
  if (bytes > BLOCK_BYTES_MAX) throw tooLarge(bytes);
  // Of its own memory: aligned, and not part of a pool that a stray reference would keep.
  const block = Buffer.allocUnsafeSlow(bytes);
  writeColumns(block, BLOCK_HEADER_BYTES, plans);
  const header = new Uint32Array(block.buffer, 0, HEADER_WORDS);
  header.set([MAGIC, 0, bytes, columns[0]?.length ?? 0, plans.length, role]);
  header[1] = crc32c(block.subarray(8));
  return block;
}

/** Bytes of the block whose header stands at the start of `header`. @throws MillraceError BLOCK_CORRUPT. */
export function blockLength(header: Buffer, where: ErrorDetails): number {
  if (header.length < BLOCK_HEADER_BYTES) throw corruptBlock('it ends within its header', where);
  const words = wordsOf(header, HEADER_WORDS);
  const bytes = words[2] ?? 0;
  if (words[0] !== MAGIC) throw corruptBlock('it does not start as a block does', where);
  if (bytes < BLOCK_HEADER_BYTES || bytes > BLOCK_BYTES_MAX || bytes % 8 !== 0) {
    throw corruptBlock(`its length, ${bytes}, is impossible`, where);
  }
  return bytes;
}

/**
 * The columns of exactly one block. `where`: what an error names.
 * @throws MillraceError BLOCK_CORRUPT when a byte is not as it was written, USER_CODE when V8 does not read its own values back.
 */
export function decodeColumns(bytes: Buffer, where: ErrorDetails): ColumnBlock {
  if (blockLength(bytes, where) !== bytes.length) throw corruptBlock('it is cut off', where);
  const block = aligned(bytes);
  if (crc32c(block.subarray(8)) !== wordsOf(block, HEADER_WORDS)[1]) {
    throw corruptBlock('its checksum (CRC-32C) does not match', where);
  }
  const [rows = 0, count = 0, role = 0] = wordsOf(block, HEADER_WORDS).subarray(3);
  const columns = count > COLUMNS_MAX ? undefined : readAll(block, count, rows);
  if (columns === undefined) throw corruptBlock('its columns contradict themselves', where);
  return { rows, columns, role };
}

function readAll(block: Buffer, count: number, rows: number): ArrayLike<unknown>[] | undefined {
  try {
    return readColumns(block, BLOCK_HEADER_BYTES, block.length, count, rows);
  } catch (error) {
    // The bytes are those that were written: nested more deeply than V8 reads, or too large for this process.
    throw MillraceError.from(error, 'USER_CODE', {
      remedy: 'Make the keys or values of the shuffle smaller, or less nested.',
      retryable: false,
    });
  }
}

function wordsOf(block: Buffer, count: number): Uint32Array {
  const { buffer, byteOffset } = block;
  // A header that is only looked at may stand anywhere.
  if (byteOffset % 4 !== 0) return new Uint32Array(new Uint8Array(block.subarray(0, count * 4)).buffer);
  return new Uint32Array(buffer, byteOffset, count);
}

function aligned(bytes: Buffer): Buffer {
  if (bytes.byteOffset % 8 === 0) return bytes;
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

function tooLarge(bytes: number): MillraceError {
  return new MillraceError(
    'RESULT_TOO_LARGE',
    `a row takes ${bytes} bytes: more than ${BLOCK_BYTES_MAX}, which a shuffle moves`,
    {
      remedy: 'Make the keys and values of the shuffle smaller.',
      details: { bytes, bytesMax: BLOCK_BYTES_MAX },
    },
  );
}
