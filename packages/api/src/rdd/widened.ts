/**
 * What values are when they are combined: those of rows `[user, 1] as const` are numbers, not 1. Branded numbers stay what they are, and so do
 * strings: `'low' | 'high'` is meant.
 */
export type Widened<V> = V extends number
  ? Nothing extends Readonly<Record<V, 1>>
    ? V
    : number
  : V extends bigint
    ? Nothing extends Readonly<Record<`${V}`, 1>>
      ? V
      : bigint
    : V extends boolean
      ? boolean
      : V;

/** A record of one literal key wants it; one of all numbers, or of all of a brand, is content without any. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- {} is meant
type Nothing = Record<never, never>;
