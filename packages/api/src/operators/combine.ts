import { types } from 'node:util';
import { deserialize } from 'node:v8';
import { elementPromise } from '../element-function.ts';
import { KeyMap } from '../key-map.ts';
import type { PartitionOperator } from '../lineage/operator-definition.ts';
import type { OperatorCall } from '../lineage/rdd-node.ts';
import { chunksOf } from '../rows.ts';
import { atPlace } from './at-place.ts';

/** How the values of one key become one: what `combine`, `mergeCombiners` and `group` do, whoever keeps the keys. */
export interface Combining {
  /** The combiner of a key's first value. */
  readonly create: (value: unknown) => unknown;
  /** The combiner after one more value; may be the same object, changed. */
  readonly merge: (combiner: unknown, value: unknown) => unknown;
  /** `merge`, for a generated loop. */
  readonly inline: InlineMerge;
}

/** What `merge` does, as source: a call site of its own, which V8 can inline. */
export interface InlineMerge {
  /** Of an expression over `combiner`, `value` and `f`; undefined: the combiner stays as it is. */
  readonly source: string | undefined;
  readonly f?: Function;
  /** The combiner stays the same object, and keeps the value and nothing else. */
  readonly collects?: true;
  /** Gives back what the expression made, or throws ELEMENT_PROMISE. Numbers need not be shown to it. */
  readonly checked: (made: unknown) => unknown;
}

/** numbers[0] of combine and mergeCombiners: rows are counted. */
export const COUNT = 1;

type CombineCall = Pick<OperatorCall, 'numbers' | 'value'> & {
  readonly kind: 'combine' | 'mergeCombiners' | 'group';
  readonly functions: readonly Function[];
  readonly place: string;
};

/**
 * combine: functions [create, merge], or [merge] from the `value` (zero), or from a key's first value; none: keeps the first value.
 * mergeCombiners: functions [merge], or none: keeps the first. With numbers [1] both count. group: values in an array.
 * Both members throw MillraceError ELEMENT_PROMISE when a function returns a Promise.
 */
export function combiningOf(call: CombineCall): Combining {
  const { kind, functions, numbers, value, place } = call;
  if (kind === 'group') return GROUPING;
  if (numbers[0] === COUNT) return kind === 'combine' ? COUNTING : SUMMING;
  const merge = functions.at(-1);
  if (merge === undefined) return FIRST;
  const checked = (made: unknown): unknown => {
    if (typeof made === 'object' && types.isPromise(made)) {
      made.catch(() => undefined);
      // Whichever it was written as: reduceByKey and its like are all that.
      throw elementPromise('combineByKey', place);
    }
    return made;
  };
  const merged = (combiner: unknown, next: unknown): unknown => checked(merge(combiner, next));
  const inline: InlineMerge = { source: 'f(combiner, value)', f: merge, checked };
  const create = functions.length > 1 ? functions[0] : undefined;
  if (create !== undefined) return { create: (first) => checked(create(first)), merge: merged, inline };
  if (value === undefined) return { create: same, merge: merged, inline };
  const zero = zeroOf(value);
  return { create: (first) => merged(zero(), first), merge: merged, inline };
}

const same = (value: unknown): unknown => value;

const FIRST: Combining = { create: same, merge: same, inline: { source: undefined, checked: same } };
const COUNTING: Combining = {
  create: () => 1,
  merge: (count) => (count as number) + 1,
  inline: { source: 'combiner + 1', checked: same },
};
const SUMMING: Combining = {
  create: same,
  merge: (a, b) => (a as number) + (b as number),
  inline: { source: 'combiner + value', checked: same },
};
const GROUPING: Combining = {
  create: (value) => [value],
  merge: (group, value) => {
    (group as unknown[]).push(value);
    return group;
  },
  inline: { source: '(combiner.push(value), combiner)', collects: true, checked: same },
};

/** A fresh one for each key: a function may change it. What cannot be changed is made once. */
function zeroOf(value: Uint8Array): () => unknown {
  const zero: unknown = deserialize(value);
  return typeof zero === 'object' && zero !== null ? () => deserialize(value) as unknown : () => zero;
}

/** Rows [key, value] → one row a key, in order of first appearance. In memory: executors combine in bounded memory instead. */
function combineOperator(kind: CombineCall['kind']): PartitionOperator {
  return {
    kind,
    form: 'partition',
    preservesEmpty: true,
    async *run(chunks, call) {
      const { create, merge } = combiningOf({ ...call, kind, place: call.place ?? '' });
      const entries = new KeyMap<{ combiner: unknown }>();
      const add = ([key, value]: [unknown, unknown]): void => {
        const entry = entries.get(key);
        if (entry === undefined) entries.set(key, { combiner: create(value) });
        else entry.combiner = merge(entry.combiner, value);
      };
      for await (const rows of chunks) atPlace(call, () => (rows as [unknown, unknown][]).forEach(add));
      yield* chunksOf(combined(entries));
    },
  };
}

function* combined(entries: KeyMap<{ combiner: unknown }>): Iterable<[unknown, unknown]> {
  for (const [key, { combiner }] of entries) yield [key, combiner];
}

export const combine = combineOperator('combine');
export const mergeCombiners = combineOperator('mergeCombiners');
export const group = combineOperator('group');
