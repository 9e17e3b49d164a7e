import { MillraceError, messageOf } from '@millrace/common';
import { crc32c } from '@node-rs/crc32';
import type { LogRecord } from './log-record.ts';
import { recordFromJson, recordToJson } from './record-json.ts';

// A record is one line: "LLLLLLLL CCCCCCCC {json}\n" with the JSON's length in bytes and the CRC32C of "LLLLLLLL" and the
// JSON, both in hex. A text, so that `cat` shows a log; and a text has no NUL and no inner line break, which is how a torn
// write (a file that ends in the middle of a line, or in blocks that were never written) is told from damage.
const HEADER_BYTES = 18;
const NEWLINE = 0x0a;

/** What a segment holds. */
export interface SegmentContent {
  readonly records: ReadonlyArray<{
    readonly record: LogRecord /** Exclusive end in the file. */;
    readonly end: number;
  }>;
  /** Bytes of whole records. What lies behind is a torn write, and was never acted on. */
  readonly bytes: number;
}

export function encodeRecord(record: LogRecord): Uint8Array {
  const json = Buffer.from(recordToJson(record), 'utf8');
  const length = json.length.toString(16).padStart(8, '0');
  return Buffer.concat([
    Buffer.from(`${length} ${checksum(length, json)} `, 'latin1'),
    json,
    Buffer.of(NEWLINE),
  ]);
}

/**
 * The records of a segment; a torn tail is left out.
 * @throws MillraceError LOG_CORRUPT with file and byte when a record that was whole is damaged; VERSION_MISMATCH.
 */
export function decodeSegment(content: Uint8Array, file: string): SegmentContent {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const records: { record: LogRecord; end: number }[] = [];
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    const line = newline === -1 ? unended(bytes.subarray(start)) : bytes.subarray(start, newline);
    const record = decodeLine(line, file, start);
    if (record === undefined) {
      if (newline === -1 && isTorn(bytes.subarray(start))) break;
      throw corrupt(file, start, 'a record does not match its checksum');
    }
    start = newline === -1 ? bytes.length : newline + 1;
    records.push({ record, end: start });
  }
  return { records, bytes: start };
}

/** The last line without its line break: when all else of it is there, it counts. */
function unended(rest: Buffer): Buffer {
  const length = Number.parseInt(rest.toString('latin1', 0, 8), 16);
  return Number.isNaN(length) ? rest : rest.subarray(0, HEADER_BYTES + length);
}

/** A write that was cut off: the file ends within it, or was extended and its last blocks were never written. */
function isTorn(rest: Buffer): boolean {
  return unended(rest).length === rest.length || rest.at(-1) === 0;
}

function decodeLine(line: Buffer, file: string, at: number): LogRecord | undefined {
  if (line.length < HEADER_BYTES) return undefined;
  const length = line.toString('latin1', 0, 8);
  const json = line.subarray(HEADER_BYTES);
  if (line.toString('latin1', 0, HEADER_BYTES) !== `${length} ${checksum(length, json)} `) return undefined;
  if (Number.parseInt(length, 16) !== json.length) return undefined;
  try {
    return recordFromJson(json.toString('utf8'));
  } catch (error) {
    if (MillraceError.is(error)) throw error;
    throw corrupt(file, at, `a record is not what this version writes: ${messageOf(error)}`);
  }
}

function checksum(length: string, json: Buffer): string {
  return crc32c(json, crc32c(length)).toString(16).padStart(8, '0');
}

/** The one way to give up a log, as the last sentence of a remedy. */
export const BEGIN_ANEW =
  'To give up what it says, submit with --start-anew: the application begins where its stream options say.';

export function corrupt(file: string, at: number, what: string): MillraceError {
  return new MillraceError('LOG_CORRUPT', `${file} is damaged at byte ${at}: ${what}`, {
    remedy: `Restore the log directory from a copy of its last run. ${BEGIN_ANEW}`,
    details: { file, byte: at },
  });
}

/** An epoch that ran has left its anchor: a log that ends before it has lost it. Such a log must not be begun afresh, nor gone on with. */
export function logLost(where: string, epoch: number, before: number): MillraceError {
  const found = epoch === 0 ? 'there is none now' : `it ends with epoch ${epoch} now`;
  return new MillraceError(
    'LOG_CORRUPT',
    `the log in ${where} was removed, emptied or replaced: epoch ${before} of the application wrote to it, and ${found}`,
    {
      remedy: `Put it back. ${BEGIN_ANEW}`,
      details: { directory: where, epoch, before },
    },
  );
}
