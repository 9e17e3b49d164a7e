import { deserialize } from 'node:v8';
import { HANDLE } from '@millrace/closures';
import { MillraceError, messageOf } from '@millrace/common';
import { type AccumulatorKind, BUILT_IN_KINDS, type BuiltInKind, numberOf } from './accumulator-kind.ts';
import { addTo, itemOf } from './task-accumulator.ts';
import { currentTask } from './task-context.ts';

/** What tasks add to and the driver reads. Exactly once per successful task; failed attempts leave no trace. */
interface Shared<Value> {
  readonly name: string;
  /** Driver only. A view of now: nothing that is added later is seen in it. */
  readonly value: Value;
  /** Driver only. Back to the beginning. */
  reset(): void;
}

/** A number that tasks add to. */
export interface Accumulator extends Shared<number> {
  add(amount: number): void;
}

/** A list that tasks add to. Keep it small: every added value travels to the driver. */
export interface CollectionAccumulator<T> extends Shared<readonly T[]> {
  add(value: T): void;
}

/** The distinct values that tasks added; equal when their contents are. Keys as in countByValue: primitives, Dates, bytes, plain data of these. */
export interface SetAccumulator<T> extends Shared<ReadonlySet<T>> {
  add(value: T): void;
}

/** A sum by key. Keys as in SetAccumulator. */
export interface MapAccumulator<K> extends Shared<ReadonlyMap<K, number>> {
  /** `amount`: default 1. */
  add(key: K, amount?: number): void;
}

/** An accumulator of the user's own kind. */
export interface CustomAccumulator<Item, State> extends Shared<State> {
  add(item: Item): void;
}

/** What a count of the engine's own says of records that no operator got: each is of one kind. */
export type LeftOut = 'undecodable' | 'dead-letters' | 'deleted';

/** What one batch did to an accumulator that has a name. */
export interface AccumulatorChange {
  readonly name: string;
  /** A sum, or how many members a collection has; of the user's own kind its state as JSON text, shortened. */
  readonly value: number | string;
  /** How much of `value` is this batch's; absent for the user's own kinds. */
  readonly added?: number;
  /** Not the user's. */
  readonly leftOut?: LeftOut;
}

interface Entry {
  readonly id: string;
  readonly name: string | undefined;
  readonly kind: AccumulatorKind<unknown, unknown>;
  readonly initial: () => unknown;
  readonly leftOut?: LeftOut;
  state: unknown;
  /** Its size before the first change of the batch. */
  sizeBefore: number | undefined;
  isChanged: boolean;
}

const STATE_TEXT_MAX = 200;
/** A batch's report stays small. */
const CHANGES_MAX = 50;
const NAME_MAX = 100;
/** From so many on, those that nobody can read any more are looked for. */
const PRUNE_MIN = 1_000;

/** The accumulators of one application, on the driver. */
export class AccumulatorRegistry {
  /** Weak: an accumulator that a batch's own code made and forgot can never be read again. */
  readonly #entries = new Map<string, WeakRef<Entry>>();
  #changed = new Set<Entry>();
  #made = 0;
  #pruneAt = PRUNE_MIN;

  number(name: string | undefined, start: number): Accumulator {
    numberOf(start);
    const entry = this.#entry('sum', name, BUILT_IN_KINDS.sum, () => start);
    return this.#handle(entry, (state) => state) as Accumulator;
  }

  /** Counts what sources leave out. */
  leftOut(name: string, kind: LeftOut): Accumulator {
    const entry = this.#entry('sum', name, BUILT_IN_KINDS.sum, undefined, kind);
    return this.#handle(entry, (state) => state) as Accumulator;
  }

  list<T>(name: string | undefined): CollectionAccumulator<T> {
    const entry = this.#entry('list', name, BUILT_IN_KINDS.list);
    return this.#handle(entry, (state) => [...(state as T[])]) as CollectionAccumulator<T>;
  }

  set<T>(name: string | undefined): SetAccumulator<T> {
    const entry = this.#entry('set', name, BUILT_IN_KINDS.set);
    return this.#handle(entry, (state) => new Set((state as Map<string, T>).values())) as SetAccumulator<T>;
  }

  map<K>(name: string | undefined): MapAccumulator<K> {
    const entry = this.#entry('counts', name, BUILT_IN_KINDS.counts);
    return this.#handle(
      entry,
      (state) => new Map((state as Map<string, [K, number]>).values()),
    ) as MapAccumulator<K>;
  }

  /** @throws MillraceError JOB_INVALID when `kind` lacks one of its functions. */
  custom<Item, State>(
    kind: AccumulatorKind<Item, State>,
    name: string | undefined,
  ): CustomAccumulator<Item, State> {
    for (const part of ['zero', 'add', 'merge'] as const) {
      if (typeof kind?.[part] === 'function') continue;
      throw new MillraceError('JOB_INVALID', `customAccumulator() needs a function ${part}`, {
        remedy: 'Give it { zero: () => state, add: (state, item) => state, merge: (a, b) => state }.',
      });
    }
    const entry = this.#entry('custom', name, kind);
    const handle = this.#handle(entry, (state) => state, { kind });
    return handle as CustomAccumulator<Item, State>;
  }

  /**
   * Applies what a task that succeeded added.
   * @throws MillraceError USER_CODE: a merge function of the user's threw.
   */
  apply(encoded: Uint8Array): void {
    if (encoded.length === 0) return;
    for (const [id, update] of deserialize(encoded) as [string, unknown][]) {
      const entry = this.#entries.get(id)?.deref();
      if (entry === undefined) continue;
      this.#touch(entry);
      try {
        entry.state = entry.kind.merge(entry.state, update) ?? entry.state;
      } catch (error) {
        throw new MillraceError(
          'USER_CODE',
          `merging accumulator ${entry.name ?? id} threw: ${messageOf(error)}`,
          { cause: error, retryable: false },
        );
      }
    }
  }

  /** Named accumulators that changed since the last call, in the order of their making. */
  takeChanges(): readonly AccumulatorChange[] {
    const changed = [...this.#changed]
      .toSorted((a, b) => orderOf(a.id) - orderOf(b.id))
      .filter(({ leftOut }, index) => index < CHANGES_MAX || leftOut !== undefined);
    for (const entry of this.#changed) entry.isChanged = false;
    this.#changed = new Set();
    return changed.flatMap((entry): AccumulatorChange[] => {
      const { sizeBefore, leftOut } = entry;
      const name = entry.name?.slice(0, NAME_MAX);
      if (name === undefined) return [];
      const size = sizeOf(entry);
      if (size === undefined) return [{ name, value: stateText(entry.state) }];
      const added = size - (sizeBefore ?? 0);
      return [{ name, value: size, added, ...(leftOut && { leftOut }) }];
    });
  }

  #entry(
    prefix: BuiltInKind | 'custom',
    name: string | undefined,
    kind: AccumulatorKind<never, never> | AccumulatorKind<unknown, unknown>,
    initial?: () => unknown,
    leftOut?: LeftOut,
  ): Entry {
    const zero = initial ?? ((): unknown => kind.zero());
    const id = `${prefix}:${++this.#made}`;
    const entry: Entry = {
      id,
      name,
      kind,
      initial: zero,
      ...(leftOut && { leftOut }),
      state: zero(),
      sizeBefore: undefined,
      isChanged: false,
    };
    this.#entries.set(id, new WeakRef(entry));
    this.#prune();
    return entry;
  }

  #handle(entry: Entry, view: (state: unknown) => unknown, custom?: { readonly kind: unknown }): unknown {
    const { id, name, kind } = entry;
    const add = (item: unknown, amount?: number): void => {
      // In an embedded application a lambda may have the driver's own object: what it adds counts when its task succeeds.
      const task = currentTask();
      if (task) addTo(task.accumulators, id, kind, itemOf(id, item, amount));
      else {
        this.#touch(entry);
        entry.state = kind.add(entry.state, itemOf(id, item, amount)) ?? entry.state;
      }
    };
    return {
      name: name ?? id,
      add,
      get value() {
        return view(entry.state);
      },
      reset: () => {
        this.#touch(entry);
        entry.state = entry.initial();
      },
      [HANDLE]: { kind: 'accumulator', id, ...(custom ? { custom: custom.kind } : {}) },
    };
  }

  #touch(entry: Entry): void {
    if (entry.isChanged) return;
    entry.isChanged = true;
    entry.sizeBefore = sizeOf(entry);
    this.#changed.add(entry);
  }

  #prune(): void {
    if (this.#entries.size < this.#pruneAt) return;
    for (const [id, entry] of this.#entries) if (entry.deref() === undefined) this.#entries.delete(id);
    this.#pruneAt = Math.max(PRUNE_MIN, 2 * this.#entries.size);
  }
}

function orderOf(id: string): number {
  return Number(id.slice(id.indexOf(':') + 1));
}

/** A sum, or the number of members; undefined for the user's own kinds. */
function sizeOf({ id, state }: Entry): number | undefined {
  if (id.startsWith('sum:')) return state as number;
  if (id.startsWith('custom:')) return undefined;
  return id.startsWith('list:') ? (state as unknown[]).length : (state as Map<string, unknown>).size;
}

function stateText(state: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(state, (_key, value: unknown) => jsonable(value)) ?? String(state);
  } catch {
    text = '(no JSON)';
  }
  return text.length > STATE_TEXT_MAX ? `${text.slice(0, STATE_TEXT_MAX)}…` : text;
}

function jsonable(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map || value instanceof Set) return [...value];
  return value;
}
