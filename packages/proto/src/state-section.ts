import { crc32 } from 'node:zlib';
import { MillraceError, messageOf } from '@millrace/common';

/** Version of the format of sections. A reader refuses newer ones. */
const STATE_FORMAT = 1;

/** Where a section is: bytes [offset, offset + bytes) of a state file. */
export interface StateSectionRef {
  /** Name below the application's state directory. */
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  /** Of the state that it makes: no two attempts, of no two drivers, make the same one. */
  readonly version: string;
}

/** What a section says of itself. Its rows follow as blocks of columns, each with a checksum of its own. */
export interface StateSectionMeta {
  readonly format: typeof STATE_FORMAT;
  readonly application: string;
  readonly operator: string;
  readonly partition: number;
  /** How keys are partitioned: sections of another layout hold other keys. */
  readonly layout: string;
  /** The user's version of the values. */
  readonly valueVersion: number;
  /** A snapshot is all of the state; a delta what changed since `previous`. */
  readonly kind: 'snapshot' | 'delta';
  readonly version: string;
  /** Of a delta: what it stands on. Of a snapshot, when there was one: what it replaces. */
  readonly previous?: StateSectionRef;
  readonly epoch: number;
  readonly batchTime: number;
  /** Keys of the state after it. */
  readonly keys: number;
  /** Batch time of the oldest touch, when keys time out and there are any. */
  readonly oldest?: number;
  /** Rows that it changes or sets, and keys that it removes. */
  readonly changed: number;
  readonly removed: number;
  /** Bytes of the blocks. */
  readonly bodyBytes: number;
}

/*
 * A section: magic (8 bytes) · bytes of the text · CRC-32 of the text (two 32-bit words, little-endian) · the text, JSON, padded with spaces to
 * a multiple of 8 · blocks.
 */
export const STATE_MAGIC: Uint8Array = Buffer.from('MRSTATE1', 'latin1');
const PREFIX_BYTES = 16;
/** A reader that wants the header needs at most this much. */
export const STATE_HEADER_BYTES_MAX = 64 * 1024;

/** The section whose blocks are `body`. */
export function encodeStateSection(
  meta: Omit<StateSectionMeta, 'format' | 'bodyBytes'>,
  body: readonly Uint8Array[],
): Buffer {
  const bodyBytes = body.reduce((sum, { length }) => sum + length, 0);
  const json = JSON.stringify({ format: STATE_FORMAT, ...meta, bodyBytes });
  const bytes = Buffer.byteLength(json);
  const text = Buffer.from(json + ' '.repeat((8 - (bytes % 8)) % 8), 'utf8');
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.set(STATE_MAGIC);
  prefix.writeUInt32LE(text.length, 8);
  prefix.writeUInt32LE(crc32(text), 12);
  return Buffer.concat([prefix, text, ...body]);
}

/** What a section says of itself, and where its blocks begin. */
export interface StateSectionHeader {
  readonly meta: StateSectionMeta;
  readonly bodyAt: number;
}

/**
 * Reads the header of the section that begins `bytes`, which may end behind the header. `where`: the file, for errors.
 * @throws MillraceError STATE_CORRUPT; VERSION_MISMATCH when a newer Millrace wrote it.
 */
export function decodeStateHeader(bytes: Uint8Array, where: string): StateSectionHeader {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (head.length < PREFIX_BYTES || !head.subarray(0, 8).equals(STATE_MAGIC))
    throw corruptState(where, 'no section of state begins there');
  const length = head.readUInt32LE(8);
  const text = head.subarray(PREFIX_BYTES, PREFIX_BYTES + length);
  if (length > STATE_HEADER_BYTES_MAX || text.length < length || crc32(text) !== head.readUInt32LE(12))
    throw corruptState(where, 'the header of a section does not match its checksum');
  let meta: StateSectionMeta;
  try {
    meta = JSON.parse(text.toString('utf8')) as StateSectionMeta;
  } catch (error) {
    throw corruptState(where, messageOf(error));
  }
  if (meta.format > STATE_FORMAT) {
    throw new MillraceError(
      'VERSION_MISMATCH',
      `${where} has state of format ${meta.format}; this Millrace reads up to ${STATE_FORMAT}`,
      { remedy: 'Run the version of Millrace that wrote it, or a newer one.', details: { file: where } },
    );
  }
  return { meta, bodyAt: PREFIX_BYTES + length };
}

/** State that is not what was written, or is gone. It is never begun afresh silently. */
export function corruptState(file: string, why: string, cause?: unknown): MillraceError {
  return new MillraceError('STATE_CORRUPT', `the state file ${file} is damaged or missing: ${why}`, {
    remedy:
      "Restore the application's log directory, which holds its state, from a copy of its last run. To give it up, submit with --start-anew: state and offsets begin anew.",
    details: { file },
    ...(cause === undefined ? {} : { cause }),
  });
}
