import { WireReader } from './wire/wire-reader.ts';

/**
 * The headers of one record, from the position of their count on. Values are views of `buf`.
 * The decoder has checked that they lie within the record.
 */
export function readHeaders(buf: Buffer, at: number): ReadonlyArray<readonly [string, Buffer | null]> {
  const reader = new WireReader(buf, at);
  const count = reader.varint();
  const headers: (readonly [string, Buffer | null])[] = [];
  for (let i = 0; i < count; i++) {
    const name = reader.raw(reader.varint()).toString('utf8');
    const length = reader.varint();
    headers.push([name, length < 0 ? null : reader.raw(length)]);
  }
  return headers;
}
