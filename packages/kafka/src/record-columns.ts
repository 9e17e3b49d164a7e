import { readHeaders } from './record-headers.ts';
import { utf8Slice } from './utf8.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Records of one partition as columns over one buffer: no object a record. Only rows [0, n) of the columns are meaningful.
 * A start is a byte position in `buf`; a length of −1 is null.
 */
export class RecordColumns {
  readonly topic: string;
  readonly partition: number;
  /** Number of records. */
  n = 0;
  /** What starts and lengths refer to. Slices of it keep all of it alive. */
  buf: Buffer = EMPTY;
  offset: Float64Array;
  /** ms since 1970; −1 when the producer gave none. */
  timestamp: Float64Array;
  keyStart: Int32Array;
  keyLength: Int32Array;
  valueStart: Int32Array;
  valueLength: Int32Array;
  /** Where the header count (a varint) stands. */
  headerStart: Int32Array;

  constructor(topic: string, partition: number, capacity: number) {
    this.topic = topic;
    this.partition = partition;
    this.offset = new Float64Array(capacity);
    this.timestamp = new Float64Array(capacity);
    this.keyStart = new Int32Array(capacity);
    this.keyLength = new Int32Array(capacity);
    this.valueStart = new Int32Array(capacity);
    this.valueLength = new Int32Array(capacity);
    this.headerStart = new Int32Array(capacity);
  }

  get capacity(): number {
    return this.offset.length;
  }

  /** Makes room for `capacity` records in all, keeping the first n. */
  reserve(capacity: number): void {
    if (capacity <= this.capacity) return;
    const floats = (old: Float64Array): Float64Array => {
      const grown = new Float64Array(capacity);
      grown.set(old.subarray(0, this.n));
      return grown;
    };
    const ints = (old: Int32Array): Int32Array => {
      const grown = new Int32Array(capacity);
      grown.set(old.subarray(0, this.n));
      return grown;
    };
    this.timestamp = floats(this.timestamp);
    this.keyStart = ints(this.keyStart);
    this.keyLength = ints(this.keyLength);
    this.valueStart = ints(this.valueStart);
    this.valueLength = ints(this.valueLength);
    this.headerStart = ints(this.headerStart);
    this.offset = floats(this.offset);
  }

  /** Empties the columns; records that follow refer to `buf`. */
  reset(buf: Buffer): void {
    this.n = 0;
    this.buf = buf;
  }

  /** Key of row i: a view of `buf`. */
  key(i: number): Buffer | null {
    return slice(this.buf, this.keyStart[i], this.keyLength[i]);
  }

  /** Value of row i: a view of `buf`. */
  value(i: number): Buffer | null {
    return slice(this.buf, this.valueStart[i], this.valueLength[i]);
  }

  /** Key of row i as UTF-8. */
  keyString(i: number): string | null {
    return text(this.buf, this.keyStart[i], this.keyLength[i]);
  }

  /** Value of row i as UTF-8. */
  valueString(i: number): string | null {
    return text(this.buf, this.valueStart[i], this.valueLength[i]);
  }

  /** Headers of row i in the order they were written; a name may occur twice. Values are views of `buf`. */
  headers(i: number): ReadonlyArray<readonly [string, Buffer | null]> {
    return readHeaders(this.buf, this.headerStart[i] as number);
  }
}

function slice(buf: Buffer, start: number | undefined, length: number | undefined): Buffer | null {
  if (start === undefined || length === undefined || length < 0) return null;
  return buf.subarray(start, start + length);
}

function text(buf: Buffer, start: number | undefined, length: number | undefined): string | null {
  if (start === undefined || length === undefined || length < 0) return null;
  return utf8Slice(buf, start, start + length);
}
