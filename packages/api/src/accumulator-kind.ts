import { canonicalKey } from './canonical-key.ts';

/**
 * How an accumulator adds and merges. The three functions run on executors (`zero`, `add`) and on the driver (`merge`), so they
 * ship like lambdas; states travel and must be plain data. Merging must not depend on the order: tasks end in any.
 */
export interface AccumulatorKind<Item, State> {
  /** What nothing was added to: a new one at each call. */
  zero(): State;
  /** The state with `item` in it; nothing when `state` itself was changed. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a method that returns nothing must fit
  add(state: State, item: Item): State | void;
  /** Both states as one; nothing when `into` itself was changed. */
  // biome-ignore lint/suspicious/noConfusingVoidType: as above
  merge(into: State, other: State): State | void;
}

/** Kinds that every executor has: the first part of an accumulator's id says which. */
export type BuiltInKind = 'sum' | 'list' | 'set' | 'counts';

/** An entry for the key `[0]`, with the amount `[1]`. */
export type CountItem = readonly [key: unknown, amount: number];

const sum: AccumulatorKind<unknown, number> = {
  zero: () => 0,
  add: (total, amount) => total + numberOf(amount),
  merge: (a, b) => a + b,
};

const list: AccumulatorKind<unknown, unknown[]> = {
  zero: () => [],
  add: (items, item) => void items.push(item),
  // One by one: the arguments of a call are bounded by the stack.
  merge: (into, other) => {
    for (const item of other) into.push(item);
  },
};

/** By canonical key: members are equal when their contents are. */
const set: AccumulatorKind<unknown, Map<string, unknown>> = {
  zero: () => new Map(),
  add: (members, member) => {
    const key = canonicalKey(member);
    if (!members.has(key)) members.set(key, member);
  },
  merge: (into, other) => {
    for (const [key, member] of other) if (!into.has(key)) into.set(key, member);
  },
};

const counts: AccumulatorKind<CountItem, Map<string, [unknown, number]>> = {
  zero: () => new Map(),
  add: (entries, [key, amount]) => addCount(entries, canonicalKey(key), key, numberOf(amount)),
  merge: (into, other) => {
    for (const [id, [key, amount]] of other) addCount(into, id, key, amount);
  },
};

function addCount(entries: Map<string, [unknown, number]>, id: string, key: unknown, amount: number): void {
  const entry = entries.get(id);
  if (entry) entry[1] += amount;
  else entries.set(id, [key, amount]);
}

export const BUILT_IN_KINDS = { sum, list, set, counts } as const;

export function builtInKind(id: string): AccumulatorKind<unknown, unknown> {
  return BUILT_IN_KINDS[id.slice(0, id.indexOf(':')) as BuiltInKind];
}

/** "1" would be appended, not added. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TypeError(`an accumulator adds numbers, got ${typeof value}`);
}
