import { WireReader, WireWriter } from '@millrace/kafka';

/** The version a message is read or written in. Flexible versions (KIP-482) have compact lengths and tagged fields. */
export interface WireVersion {
  readonly version: number;
  readonly flexible: boolean;
}

/** One wire type: `R` is what is read, `W` what may be given to be written. */
export interface Codec<R, W = R> {
  read(reader: WireReader, at: WireVersion): R;
  write(writer: WireWriter, value: W, at: WireVersion): void;
}

/** A field of a struct that some versions lack, or that may be left out when writing. */
export interface Field<R, W = R> {
  readonly codec: Codec<R, W>;
  /** Inclusive. */
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
  /** What is read from versions without the field, and written when it is left out. */
  readonly absent: R & W;
  /** Set for a tagged field of flexible versions. */
  readonly tag?: number;
}

type Fields = Readonly<Record<string, Codec<unknown> | Field<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown> ? K : never }[keyof F];
type Written<F> = F extends Field<infer _R, infer W> ? W : F extends Codec<infer _R, infer W> ? W : never;

export type StructRead<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer R, infer _W>
    ? R
    : F[K] extends Codec<infer R, infer _W>
      ? R
      : never;
};
export type StructWrite<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Written<F[K]>;
} & { readonly [K in OptionalKeys<F>]?: Written<F[K]> };

/** What a codec reads. */
export type ReadOf<C> = C extends Codec<infer R, infer _W> ? R : never;
/** What a codec writes. */
export type WriteOf<C> = C extends Codec<infer _R, infer W> ? W : never;

export const int8: Codec<number> = { read: (r) => r.int8(), write: (w, v) => void w.int8(v) };
export const int16: Codec<number> = { read: (r) => r.int16(), write: (w, v) => void w.int16(v) };
export const int32: Codec<number> = { read: (r) => r.int32(), write: (w, v) => void w.int32(v) };
export const int64: Codec<number> = { read: (r) => r.int64(), write: (w, v) => void w.int64(v) };
export const boolean: Codec<boolean> = { read: (r) => r.boolean(), write: (w, v) => void w.boolean(v) };
/** base64url. */
export const uuid: Codec<string> = { read: (r) => r.uuid(), write: (w, v) => void w.uuid(v) };
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

export const string: Codec<string> = {
  read: (r, { flexible }) => (flexible ? r.compactString() : r.string()),
  write: (w, v, { flexible }) => void (flexible ? w.compactString(v) : w.string(v)),
};
export const nullableString: Codec<string | null> = {
  read: (r, { flexible }) => (flexible ? r.compactNullableString() : r.nullableString()),
  write: (w, v, { flexible }) => void (flexible ? w.compactNullableString(v) : w.nullableString(v)),
};
export const bytes: Codec<Buffer, Uint8Array> = {
  read: (r, { flexible }) => (flexible ? r.compactBytes() : r.bytes()),
  write: (w, v, { flexible }) => void (flexible ? w.compactBytes(v) : w.bytes(v)),
};
export const nullableBytes: Codec<Buffer | null, Uint8Array | null> = {
  read: (r, { flexible }) => (flexible ? r.compactNullableBytes() : r.nullableBytes()),
  write: (w, v, { flexible }) => void (flexible ? w.compactNullableBytes(v) : w.nullableBytes(v)),
};
/** Bytes given as the pieces they consist of, so that a fetch response is copied once. */
export const chunkedBytes: Codec<readonly Buffer[]> = {
  read: (r, at) => [bytes.read(r, at)],
  write(w, chunks, { flexible }) {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (flexible) w.unsignedVarint(length + 1);
    else w.int32(length);
    for (const chunk of chunks) w.raw(chunk);
  },
};

/** A null array reads as an empty one. */
export function array<R, W>(item: Codec<R, W>): Codec<readonly R[], readonly W[]> {
  const nullable = nullableArray(item);
  return {
    read: (r, at) => nullable.read(r, at) ?? [],
    write: (w, items, at) => nullable.write(w, items, at),
  };
}

export function nullableArray<R, W>(item: Codec<R, W>): Codec<readonly R[] | null, readonly W[] | null> {
  return {
    read: (r, at) =>
      at.flexible ? r.compactNullableArray(() => item.read(r, at)) : r.nullableArray(() => item.read(r, at)),
    write(w, items, at) {
      if (at.flexible) w.compactNullableArray(items, (value) => item.write(w, value, at));
      else w.nullableArray(items, (value) => item.write(w, value, at));
    },
  };
}

const NEWEST = Number.POSITIVE_INFINITY;

/** Present from version `from`. */
export function since<R, W>(from: number, codec: Codec<R, W>, absent: NoInfer<R & W>): Field<R, W> {
  return { codec, from, to: NEWEST, absent };
}

/** Present up to version `to`, inclusive. */
export function upTo<R, W>(to: number, codec: Codec<R, W>, absent: NoInfer<R & W>): Field<R, W> {
  return { codec, from: 0, to, absent };
}

/** Present in versions [from, to]. */
export function between<R, W>(
  from: number,
  to: number,
  codec: Codec<R, W>,
  absent: NoInfer<R & W>,
): Field<R, W> {
  return { codec, from, to, absent };
}

/** Present in every version; may be left out when writing. */
export function withDefault<R, W>(codec: Codec<R, W>, absent: NoInfer<R & W>): Field<R, W> {
  return since(0, codec, absent);
}

/** A tagged field: undefined is "not there". */
export function tagged<R, W>(
  tag: number,
  from: number,
  codec: Codec<R, W>,
): Field<R | undefined, W | undefined> {
  return { codec, from, to: NEWEST, absent: undefined, tag };
}

function asField(entry: Codec<unknown> | Field<unknown>): Field<unknown> {
  return 'codec' in entry ? entry : { codec: entry, from: 0, to: NEWEST, absent: undefined };
}

/** Fields in wire order; in flexible versions followed by its tagged fields, of which unknown ones are skipped. */
export function struct<F extends Fields>(fields: F): Codec<StructRead<F>, StructWrite<F>> {
  const all = Object.entries(fields).map(([name, entry]) => ({ name, field: asField(entry) }));
  const inline = all.filter(({ field }) => field.tag === undefined);
  const tags = all.filter(({ field }) => field.tag !== undefined);
  const present = (field: Field<unknown>, version: number) => version >= field.from && version <= field.to;

  return {
    read(reader, at) {
      const value: Record<string, unknown> = {};
      for (const { name, field } of inline) {
        value[name] = present(field, at.version) ? field.codec.read(reader, at) : field.absent;
      }
      const found = at.flexible ? reader.taggedFields() : undefined;
      for (const { name, field } of tags) {
        const body = found?.get(field.tag as number);
        value[name] = body === undefined ? field.absent : field.codec.read(new WireReader(body), at);
      }
      return value as StructRead<F>;
    },
    write(writer, value, at) {
      const given = value as Readonly<Record<string, unknown>>;
      for (const { name, field } of inline) {
        if (present(field, at.version)) {
          field.codec.write(writer, given[name] === undefined ? field.absent : given[name], at);
        }
      }
      if (!at.flexible) return;
      const sent = tags.filter(({ name, field }) => present(field, at.version) && given[name] !== undefined);
      writer.taggedFields(
        sent.map(({ name, field }) => {
          const body = new WireWriter(64);
          field.codec.write(body, given[name], at);
          return [field.tag as number, body.finish()] as const;
        }),
      );
    },
  };
}
