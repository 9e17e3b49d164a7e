import { types } from 'node:util';
import { elementPromise } from '@millrace/api/internal';
import { assertNever, MillraceError } from '@millrace/common';
import type { StateClosure, StateWriteCall } from '@millrace/proto/task';
import { owned } from '../pipeline/detach.ts';
import type { RowBlock } from '../shuffle/row-block.ts';
import { KeyState } from './key-state.ts';
import type { OpenState } from './state-store.ts';
import type { StateChange, StateTable } from './state-table.ts';

/** What a stateful operator does with the rows of its partition. */
export interface StateFunction {
  /** One chunk of rows; rows of the result go to `emit`. */
  take(rows: readonly unknown[], emit: (row: unknown) => void): void;
  /** As `take`, where rows need not be made: those of a block in [from, until). */
  takeBlock?(block: RowBlock, from: number, until: number, emit: (row: unknown) => void): void;
  /** After the last row: keys without rows. May be left and taken up again: yields when much was emitted. */
  finish(emit: (row: unknown) => void): Iterable<void>;
}

export interface StateFunctionOptions {
  readonly call: StateWriteCall;
  readonly functions: readonly Function[];
  readonly state: OpenState;
  readonly batchTime: number;
  readonly place: string;
}

/** Rows that are made, or taken of a block, before others have a turn: what was made may be large, and goes to the disk then. */
export const TURN_ROWS = 512;

export function functionOf(
  call: StateWriteCall,
  functions: readonly Function[],
  which: StateClosure,
): Function | undefined {
  const at = call.closures.indexOf(which);
  return at === -1 ? undefined : functions[at];
}

export function stateFunction(options: StateFunctionOptions): StateFunction {
  const { mode } = options.call;
  switch (mode) {
    case 'update':
      return new UpdateState(options);
    case 'map':
      return new MapState(options);
    case 'window':
      return new WindowState(options);
    default:
      return assertNever(mode, 'mode of state');
  }
}

abstract class Stateful {
  protected readonly state: OpenState;
  protected readonly table: StateTable;
  protected readonly batchTime: number;
  protected readonly place: string;
  protected readonly call: StateWriteCall;
  protected readonly f: Function;

  constructor({ call, functions, state, batchTime, place }: StateFunctionOptions) {
    this.call = call;
    this.state = state;
    this.table = state.table;
    this.batchTime = batchTime;
    this.place = place;
    this.f = functionOf(call, functions, 'function') as Function;
  }

  /** A function may change its key later; not this one. */
  protected touch(key: unknown): StateChange {
    const known = this.table.changeOf(key);
    if (known !== undefined) return known;
    return this.table.touch(
      typeof key === 'object' && key !== null && !this.table.has(key) ? owned(key) : key,
      this.batchTime,
    );
  }

  /** Objects that a function has seen may be other ones now. */
  protected handedOut(value: unknown): void {
    if (typeof value === 'object' && value !== null) this.state.soil();
  }

  protected checked<T>(value: T, operation: string): T {
    if (typeof value !== 'object' || value === null || !types.isPromise(value)) return value;
    value.catch(() => undefined);
    throw elementPromise(operation, this.place);
  }

  /** The rows of a first batch with an initial state. */
  protected *withInitial(rows: readonly unknown[]): Generator<readonly [unknown, readonly unknown[]]> {
    for (const row of rows) {
      const [key, [initial, values]] = row as [unknown, [unknown[], unknown[]]];
      if (initial.length > 0) {
        const value = initial.at(-1);
        if (value === undefined) throw noInitial(this.place);
        const change = this.touch(key);
        change.value = value;
        change.isChanged = true;
      }
      yield [key, values];
    }
  }
}

/** (values, state, key) => state, or undefined: none. All keys are visited; the rows are all keys with their state. */
class UpdateState extends Stateful implements StateFunction {
  take(rows: readonly unknown[]): void {
    const pairs = this.call.initial
      ? this.withInitial(rows)
      : (rows as Iterable<readonly [unknown, readonly unknown[]]>);
    for (const [key, values] of pairs) this.#visit(this.touch(key), values);
  }

  *finish(emit: (row: unknown) => void): Generator<void, void, undefined> {
    for (const { key } of this.table.untouched()) this.#visit(this.touch(key), []);
    let rows = 0;
    for (const { key, value } of this.table.rows()) {
      emit([key, value]);
      if (++rows % TURN_ROWS === 0) yield;
    }
  }

  #visit(change: StateChange, values: readonly unknown[]): void {
    const before = change.value;
    this.handedOut(before);
    const after: unknown = this.checked(this.f(values, before, change.key), 'updateStateByKey');
    change.value = after;
    // An object may be the same one, changed.
    if (after !== before || (typeof after === 'object' && after !== null)) change.isChanged = true;
  }
}

/** (key, value, state, time) => row, or undefined: none. Keys of the batch's rows, then those that time out. */
class MapState extends Stateful implements StateFunction {
  readonly #key = new KeyState(this.place);
  /** Changes of keys that have a number, by number, for as long as these are the texts: a key need not be looked for in every row. */
  #numbered: { readonly texts: readonly unknown[]; readonly changes: StateChange[] } | undefined;

  take(rows: readonly unknown[], emit: (row: unknown) => void): void {
    if (this.call.initial) {
      for (const [key, values] of this.withInitial(rows))
        for (const value of values) this.#each(key, value, emit);
      return;
    }
    for (const row of rows) {
      const [key, value] = row as readonly [unknown, unknown];
      this.#each(key, value, emit);
    }
  }

  takeBlock(block: RowBlock, from: number, until: number, emit: (row: unknown) => void): void {
    const { keys, values, numbered } = block;
    if (numbered === undefined)
      for (let row = from; row < until; row++) this.#each(keys[row], values[row], emit);
    else {
      const { texts, numbers } = numbered;
      if (this.#numbered?.texts !== texts) this.#numbered = { texts, changes: [] };
      const { changes } = this.#numbered;
      for (let row = from; row < until; row++) {
        const number = numbers[row] as number;
        const known = changes[number];
        const change = known ?? this.touch(texts[number]);
        if (known === undefined) changes[number] = change;
        this.#visit(change, values[row], emit);
      }
    }
  }

  *finish(emit: (row: unknown) => void): Generator<void, void, undefined> {
    const { timeoutMs } = this.call;
    if (timeoutMs === undefined) return;
    let rows = 0;
    // At least so long without a row.
    for (const { key } of this.table.untouched(this.batchTime - timeoutMs)) {
      const change = this.touch(key);
      this.#call(change, undefined, true, emit);
      change.value = undefined;
      change.isChanged = true;
      if (++rows % TURN_ROWS === 0) yield;
    }
  }

  #each(key: unknown, value: unknown, emit: (row: unknown) => void): void {
    this.#visit(this.touch(key), value, emit);
  }

  #visit(change: StateChange, value: unknown, emit: (row: unknown) => void): void {
    this.#call(change, value, false, emit);
    // Its time has changed; one that is gone or never was has none.
    if (this.call.timeoutMs !== undefined && change.value !== undefined) change.isChanged = true;
  }

  #call(change: StateChange, value: unknown, isTimingOut: boolean, emit: (row: unknown) => void): void {
    const state = this.#key;
    state.begin(change, isTimingOut);
    const row: unknown = this.checked(this.f(change.key, value, state, this.batchTime), 'mapWithState');
    if (state.end()) {
      this.state.soil();
      change.isChanged = true;
    }
    if (row !== undefined) emit(row);
  }
}

/** What is kept of a key of a window: its value, and of how many values. */
type Reduced = readonly [value: unknown, count: number];

/**
 * A reduce over a window by what left it and what entered it (Spark's ReducedWindowedDStream). The rows are all keys of the window with their
 * value. A key goes when as many values have left as entered, or when `filter` lets it go.
 */
class WindowState extends Stateful implements StateFunction {
  readonly #inverse: Function;
  readonly #filter: Function | undefined;

  constructor(options: StateFunctionOptions) {
    super(options);
    this.#inverse = functionOf(options.call, options.functions, 'inverse') as Function;
    this.#filter = functionOf(options.call, options.functions, 'filter');
  }

  take(rows: readonly unknown[]): void {
    const { left = 0 } = this.call;
    for (const row of rows) {
      const [key, parts] = row as [unknown, unknown[][]];
      this.#move(key, parts.slice(0, left).flat(), parts.slice(left).flat());
    }
  }

  *finish(emit: (row: unknown) => void): Generator<void, void, undefined> {
    let rows = 0;
    for (const { key, value } of this.table.rows()) {
      emit([key, (value as Reduced)[0]]);
      if (++rows % TURN_ROWS === 0) yield;
    }
  }

  #move(key: unknown, left: readonly unknown[], entered: readonly unknown[]): void {
    const change = this.touch(key);
    const before = change.value as Reduced | undefined;
    // What left had been let go before.
    if (before === undefined && entered.length === 0) return;
    if (before !== undefined) this.handedOut(before[0]);
    const count = (before?.[1] ?? 0) - (before ? left.length : 0) + entered.length;
    change.isChanged = true;
    change.value = undefined;
    if (count <= 0) return;
    const value = this.#reduced(before, left, entered);
    if (this.#filter?.([key, value]) === false) return;
    change.value = [value, count];
  }

  #reduced(before: Reduced | undefined, left: readonly unknown[], entered: readonly unknown[]): unknown {
    const reduce = (values: readonly unknown[]): unknown =>
      values
        .slice(1)
        .reduce((a, b): unknown => this.checked(this.f(a, b), 'reduceByKeyAndWindow'), values[0]);
    if (before === undefined) return reduce(entered);
    let [value] = before;
    if (left.length > 0) value = this.checked(this.#inverse(value, reduce(left)), 'reduceByKeyAndWindow');
    if (entered.length > 0) value = this.checked(this.f(value, reduce(entered)), 'reduceByKeyAndWindow');
    return value;
  }
}

function noInitial(place: string): MillraceError {
  return new MillraceError('USER_CODE', 'a row of the initial state has no state', {
    remedy: 'Give rows [key, state], with a state that is not undefined.',
    retryable: false,
    details: { place },
  });
}
