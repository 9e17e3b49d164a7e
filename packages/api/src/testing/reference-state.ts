import { KeyMap } from '../key-map.ts';
import type { KeptState, StateCall, StatefulNode } from '../lineage/stateful-node.ts';

type Rows = readonly unknown[];
type StateRole = StateCall['functions'][0]['role'];

interface Kept {
  value: unknown;
  at: number;
}

/** State in plain maps: what stateful operators must do. A node is computed once. */
export class ReferenceState {
  readonly #states = new Map<string, KeyMap<Kept>>();
  /** Whoever made it last. */
  readonly #calls = new Map<string, StateCall>();
  readonly #made = new Map<StatefulNode, { readonly rows: Rows; readonly snapshot: Rows }>();
  readonly #functionOf: (call: StateCall, role?: StateRole) => Function;

  constructor(functionOf: (call: StateCall, role?: StateRole) => Function) {
    this.#functionOf = functionOf;
  }

  stateOf(name: string): KeptState | undefined {
    const call = this.#calls.get(name);
    if (!call) return undefined;
    const { batchTime, shape } = call;
    return { batchTime, shape, layout: '', partitions: 1, valueVersion: 0, heads: [] };
  }

  /** All rows in the first partition. `parent`: all rows, one after the other. */
  rows(node: StatefulNode, parent: Rows): { readonly rows: Rows; readonly snapshot: Rows } {
    const known = this.#made.get(node);
    if (known) return known;
    const { mode, name, kept } = node.call;
    const state = (kept && this.#states.get(name)) ?? new KeyMap<Kept>();
    this.#calls.set(name, node.call);
    this.#states.set(node.call.name, state);
    const rows =
      mode === 'window'
        ? this.#window(node, state, parent)
        : mode === 'update'
          ? this.#update(node, state, parent)
          : this.#map(node, state, parent);
    const made = { rows, snapshot: [...state].map(([key, { value }]) => [key, value]) };
    this.#made.set(node, made);
    return made;
  }

  #update({ call }: StatefulNode, state: KeyMap<Kept>, parent: Rows): Rows {
    const f = this.#functionOf(call);
    const values = new KeyMap<unknown[]>();
    for (const [key, initial, of] of grouped(call, parent)) {
      if (initial !== undefined) state.set(key, { value: initial, at: call.batchTime });
      values.set(key, [...(values.get(key) ?? []), ...of]);
    }
    for (const [key] of state) if (!values.has(key)) values.set(key, []);
    for (const [key, of] of values) {
      const value: unknown = f(of, state.get(key)?.value, key);
      if (value === undefined) state.delete(key);
      else state.set(key, { value, at: call.batchTime });
    }
    return [...state].map(([key, { value }]) => [key, value]);
  }

  #window({ call }: StatefulNode, state: KeyMap<Kept>, parent: Rows): Rows {
    const reduce = this.#functionOf(call, 'function') as (a: unknown, b: unknown) => unknown;
    const inverse = this.#functionOf(call, 'inverse') as (a: unknown, b: unknown) => unknown;
    for (const [key, parts] of parent as readonly [unknown, unknown[][]][]) {
      const left = parts.slice(0, call.left).flat();
      const entered = parts.slice(call.left).flat();
      const before = state.get(key);
      const [value, count] = (before?.value ?? [undefined, 0]) as [unknown, number];
      const after = count - left.length + entered.length;
      const taken = left.reduce((a, b) => inverse(a, b), value);
      const made = before
        ? entered.reduce((a, b) => reduce(a, b), taken)
        : entered.reduce((a, b) => reduce(a, b));
      if (after === 0) state.delete(key);
      else state.set(key, { value: [made, after], at: call.batchTime });
    }
    return [...state].map(([key, { value }]) => [key, (value as readonly unknown[])[0]]);
  }

  #map({ call }: StatefulNode, state: KeyMap<Kept>, parent: Rows): Rows {
    const rows: unknown[] = [];
    const { batchTime, timeoutMs } = call;
    for (const [key, initial, of] of grouped(call, parent)) {
      if (initial !== undefined) state.set(key, { value: initial, at: batchTime });
      for (const value of of) {
        rows.push(this.#call(call, state, key, value, false));
        const kept = state.get(key);
        if (kept) kept.at = batchTime;
      }
    }
    for (const [key, { at }] of state) {
      if (timeoutMs === undefined || at > batchTime - timeoutMs) continue;
      rows.push(this.#call(call, state, key, undefined, true));
      state.delete(key);
    }
    return rows.filter((row) => row !== undefined);
  }

  #call(call: StateCall, state: KeyMap<Kept>, key: unknown, value: unknown, isTimingOut: boolean): unknown {
    const of = {
      exists: () => state.has(key),
      get: () => state.get(key)?.value,
      getOption: () => state.get(key)?.value,
      update: (next: unknown) => state.set(key, { value: next, at: call.batchTime }),
      remove: () => void state.delete(key),
      isTimingOut: () => isTimingOut,
    };
    return this.#functionOf(call)(key, value, of, call.batchTime);
  }
}

/** [key, initial state, values] of each row. */
function* grouped(
  { initial, mode }: StateCall,
  parent: Rows,
): Generator<[unknown, unknown, readonly unknown[]]> {
  for (const row of parent as readonly [unknown, never][]) {
    const [key, value] = row;
    if (initial) {
      const [states, values] = value as [unknown[], unknown[]];
      yield [key, states.at(-1), values];
    } else yield [key, undefined, mode === 'update' ? value : [value]];
  }
}
