import { describe, expect, it } from '@jest/globals';
import type { ShippedFunction } from '../shipped-function.ts';
import { bytes, type Codec, json, nullable, utf8 } from './codec.ts';
import { checkConsumerOptions } from './consumer-options.ts';
import { DEFAULT_VALUE_CODEC, shipCodec } from './ship-codec.ts';

class Suffixed implements Codec<string> {
  private readonly suffix = '!';
  decode(given: Uint8Array): string {
    return Buffer.from(given).toString() + this.suffix;
  }
  encode(value: string): Uint8Array {
    return Buffer.from(value);
  }
}

/** The codec as it ships, and what its decode function makes of "a". */
function shipped(codec: Codec<unknown>): readonly [string, boolean, unknown] {
  let decode: Function | undefined;
  const { name, nullable: isNullable } = shipCodec(codec, DEFAULT_VALUE_CODEC, (fn) => {
    decode = fn;
    return {} as ShippedFunction;
  });
  return [name, isNullable, decode?.(Buffer.from('a'))];
}

describe('codecs', () => {
  it('keep their `this`, nullable as often as one likes', () => {
    const codec = new Suffixed() as Codec<unknown>;
    expect(shipped(codec)).toEqual(['custom', false, 'a!']);
    expect(shipped(nullable(codec))).toEqual(['custom', true, 'a!']);
    expect(shipped(nullable(nullable(codec)))).toEqual(['custom', true, 'a!']);
    expect(nullable(new Suffixed()).decode(Buffer.from('b'))).toBe('b!');
    expect(shipped(nullable(nullable(utf8())) as Codec<unknown>)).toEqual(['utf8', true, undefined]);
  });

  it('made by a spread of a built-in one are codecs of their own', () => {
    expect(shipped({ ...json<unknown>(), decode: () => 'mine' })).toEqual(['custom', false, 'mine']);
  });

  it('decode synchronously', () => {
    const value = { decode: async () => 1, encode: () => new Uint8Array() };
    const { problems } = checkConsumerOptions({ brokers: 'b:1', groupId: 'g', value }, 'stream');
    expect(problems.join()).toMatch(/"value": decode\(\) is async.*mapAsync/);
  });
});

describe('built-in codecs', () => {
  it('round-trip', () => {
    expect(utf8().decode(utf8().encode('grüße 👋'))).toBe('grüße 👋');
    expect(json<{ a: number }>().decode(json<{ a: number }>().encode({ a: 1 }))).toEqual({ a: 1 });
    expect(bytes().decode(new Uint8Array([1]))).toEqual(new Uint8Array([1]));
    expect(nullable(utf8()).decode(utf8().encode('x'))).toBe('x');
  });
});
