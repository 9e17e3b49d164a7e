import * as fc from 'fast-check';

/** Any UTF-16 units: lone surrogates are among them. */
export function anyText(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string(),
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    fc.integer({ min: 0, max: 400 }).map((length) => 'x'.repeat(length)),
  );
}

/** A few texts that occur often, so that keys meet. */
export function anyKey(): fc.Arbitrary<unknown> {
  const atom = fc.oneof(
    fc.constantFrom<unknown>('', 'a', 'b', 0, -0, 1, -1, 1n, '1', true, false, null, undefined),
    anyText(),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.date({ noInvalidDate: false }),
    fc.uint8Array({ maxLength: 4 }),
  );
  return fc.oneof(
    { weight: 4, arbitrary: atom },
    { weight: 1, arbitrary: fc.tuple(atom, atom) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), atom) },
  );
}

/** Any movable value. */
export function anyValue(): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom<unknown>(undefined, null, true, false, 0, -0, Number.NaN, 1.5, 7n),
    fc.integer(),
    fc.double(),
    anyText(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.uint8Array(),
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
  );
}

/** Columns are mostly of one kind: so are these. */
export function anyColumn(length: number): fc.Arbitrary<unknown[]> {
  const kinds: fc.Arbitrary<unknown>[] = [
    fc.constant(undefined),
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double(),
    fc.string(),
    anyText(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.uint8Array(),
    anyValue(),
    fc.tuple(fc.integer(), fc.string()),
    fc.tuple(fc.double(), anyText(), fc.boolean()),
    fc.array(fc.oneof(fc.integer(), fc.constant(undefined), fc.bigInt()), { maxLength: 3 }),
  ];
  return fc.oneof(...kinds.map((kind) => fc.array(kind, { minLength: length, maxLength: length })));
}
