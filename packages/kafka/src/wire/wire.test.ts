import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const ID = 'QghrCS5yTmiJsD9dTrxy2Q';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'nothing thrown';
}

describe('wire types', () => {
  it('reads back everything that was written, however the buffer had to grow', () => {
    const long = 'é'.repeat(500);
    const w = new WireWriter(1);
    w.int8(-1).boolean(true).int16(-2).uint16(65535).int32(-3).uint32(4294967295);
    w.int64(Number.MAX_SAFE_INTEGER)
      .int64(-1)
      .bigint64(-(2n ** 63n))
      .float64(0.5);
    w.varint(-2147483648)
      .varint(300)
      .varlong(-(2n ** 63n))
      .varlong(2n ** 63n - 1n)
      .unsignedVarint(4294967295);
    w.string(long).nullableString(null).compactString('').compactNullableString(null);
    w.bytes(Buffer.from([1]))
      .nullableBytes(null)
      .compactBytes(Buffer.from([2]))
      .compactNullableBytes(null);
    w.array([1, 2], (n) => w.int8(n)).nullableArray(null, () => {});
    w.compactArray(['a'], (s) => w.compactString(s)).compactNullableArray(null, () => {});
    w.uuid(ID).taggedFields([[3, Buffer.from('x')]]);
    const r = new WireReader(w.finish());
    expect([r.int8(), r.boolean(), r.int16(), r.uint16(), r.int32(), r.uint32()]).toEqual([
      -1,
      true,
      -2,
      65535,
      -3,
      4294967295,
    ]);
    expect([r.int64(), r.int64(), r.bigint64(), r.float64()]).toEqual([
      Number.MAX_SAFE_INTEGER,
      -1,
      -(2n ** 63n),
      0.5,
    ]);
    expect([r.varint(), r.varint(), r.varlong(), r.varlong(), r.unsignedVarint()]).toEqual([
      -2147483648,
      300,
      -(2n ** 63n),
      2n ** 63n - 1n,
      4294967295,
    ]);
    expect([r.string(), r.nullableString(), r.compactString(), r.compactNullableString()]).toEqual([
      long,
      null,
      '',
      null,
    ]);
    expect([r.bytes()[0], r.nullableBytes(), r.compactBytes()[0], r.compactNullableBytes()]).toEqual([
      1,
      null,
      2,
      null,
    ]);
    expect([r.array(() => r.int8()), r.nullableArray(() => 0)]).toEqual([[1, 2], null]);
    expect([r.compactArray(() => r.compactString()), r.compactNullableArray(() => 0)]).toEqual([['a'], null]);
    expect(r.uuid()).toBe(ID);
    expect(r.taggedFields().get(3)?.toString()).toBe('x');
    expect(r.remaining).toBe(0);
  });

  it('refuses an int64 beyond 2^53−1 instead of rounding it', () => {
    for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 53n)]) {
      const r = new WireReader(new WireWriter().bigint64(value).finish());
      expect(codeOf(() => r.int64())).toBe('OFFSET_UNSAFE');
    }
  });

  it('refuses messages that end early and lengths that make no sense', () => {
    const hostile: readonly [string, Buffer, (r: WireReader) => unknown][] = [
      ['int32 of 3 bytes', Buffer.from([0, 0, 0]), (r) => r.int32()],
      ['string longer than the message', Buffer.from([0, 9, 65]), (r) => r.string()],
      ['string of length −2', Buffer.from([0xff, 0xfe]), (r) => r.nullableString()],
      ['null string where one is required', Buffer.from([0xff, 0xff]), (r) => r.string()],
      ['array of 2^31−1 items', Buffer.from([0x7f, 0xff, 0xff, 0xff]), (r) => r.array(() => 0)],
      ['bytes of length −5', Buffer.from([0xff, 0xff, 0xff, 0xfb]), (r) => r.nullableBytes()],
      ['varint without an end', Buffer.alloc(12, 0xff), (r) => r.varint()],
      ['varlong without an end', Buffer.alloc(12, 0xff), (r) => r.varlong()],
      ['varint cut short', Buffer.from([0x80]), (r) => r.varint()],
    ];
    for (const [name, bytes, read] of hostile)
      expect([name, codeOf(() => read(new WireReader(bytes)))]).toEqual([name, 'KAFKA_PROTOCOL']);
  });
});
