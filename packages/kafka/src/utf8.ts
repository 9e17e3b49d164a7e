// Node's own decoder behind toString('utf8'), without the argument handling: 20–30 % faster on short texts. Not in Node's types.
interface Utf8Sliceable {
  utf8Slice(start: number, end: number): string;
}

/** Bytes [start, end) of `buf` as UTF-8. */
export function utf8Slice(buf: Buffer, start: number, end: number): string {
  return (buf as unknown as Utf8Sliceable).utf8Slice(start, end);
}
