import type { ShippedFunction } from '../shipped-function.ts';

/**
 * Turns the bytes of a key or value into a T and back. `decode` runs on executors, so it ships like a lambda.
 * What `decode` throws becomes VALUE_DECODE with topic, partition and offset.
 */
export interface Codec<T> {
  readonly decode: (bytes: Uint8Array) => T;
  readonly encode: (value: T) => Uint8Array;
}

export type BuiltInCodecName = 'utf8' | 'json' | 'bytes';

/** Marks the codecs that every executor has. */
export const BUILT_IN: unique symbol = Symbol.for('millrace.codec');

export interface BuiltInCodec<T> extends Codec<T> {
  readonly [BUILT_IN]: { readonly name: BuiltInCodecName; readonly nullable: boolean };
}

/** A codec as it travels. */
export interface ShippedCodec {
  readonly name: BuiltInCodecName | 'custom';
  /** A null key or value is null, not an error. */
  readonly nullable: boolean;
  /** For 'custom': the decode function. */
  readonly decode?: ShippedFunction;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function builtIn<T>(name: BuiltInCodecName, codec: Codec<T>, isNullable = false): BuiltInCodec<T> {
  // Not enumerable: a spread with a `decode` of its own is another codec.
  return Object.defineProperty({ ...codec }, BUILT_IN, {
    value: { name, nullable: isNullable },
  }) as BuiltInCodec<T>;
}

/** UTF-8 text. Malformed bytes become U+FFFD. */
export function utf8(): Codec<string> {
  return builtIn<string>('utf8', {
    decode: (given) => decoder.decode(given),
    encode: (value) => encoder.encode(value),
  });
}

/** JSON text. The type is the caller's claim: it is not checked. A text that does not parse is VALUE_DECODE. */
export function json<T>(): Codec<T> {
  return builtIn<T>('json', {
    decode: (given) => JSON.parse(decoder.decode(given)) as T,
    encode: (value) => encoder.encode(JSON.stringify(value)),
  });
}

/** The bytes themselves. They are a view of the fetch buffer: copy what must outlive the batch. */
export function bytes(): Codec<Uint8Array> {
  return builtIn<Uint8Array>('bytes', { decode: (given) => given, encode: (value) => value });
}

/** `codec`, with null for a null key or value (a tombstone). Without it a null value is VALUE_DECODE. */
export function nullable<T>(codec: Codec<T>): Codec<T | null> {
  const known = builtInOf(codec);
  const both: Codec<T | null> = {
    decode: (given) => codec.decode(given),
    encode: (value) => (value === null ? new Uint8Array() : codec.encode(value)),
  };
  if (known) return builtIn<T | null>(known.name, both, true);
  return { ...both, [NULLABLE_OF]: customOf(codec).codec } as Codec<T | null>;
}

/** On a nullable custom codec: the codec whose `decode` ships. */
export const NULLABLE_OF: unique symbol = Symbol.for('millrace.codec.nullable');

export function builtInOf(codec: object): BuiltInCodec<unknown>[typeof BUILT_IN] | undefined {
  return (codec as Partial<BuiltInCodec<unknown>>)[BUILT_IN];
}

/** The custom codec below `nullable`, and whether there was one. */
export function customOf<T>(codec: Codec<T>): {
  readonly codec: Codec<T>;
  readonly nullable: boolean;
} {
  const inner = (codec as { readonly [NULLABLE_OF]?: Codec<T> })[NULLABLE_OF];
  return inner ? { codec: inner, nullable: true } : { codec, nullable: false };
}
