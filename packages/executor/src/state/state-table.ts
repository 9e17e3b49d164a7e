import { KeyMap } from '@millrace/api/internal';
import { ownText } from '../pipeline/own-text.ts';

/** What the running batch makes of a key. */
export interface StateChange {
  readonly key: unknown;
  /** undefined: no state. */
  value: unknown;
  /** Batch time of its touch. */
  at: number;
  /** It is to be written: the value may be another one, or its time. A key that was only looked at is not. */
  isChanged: boolean;
}

interface Entry {
  readonly key: unknown;
  value: unknown;
  at: number;
  /** Neighbours in order of last touch. */
  older: Entry | undefined;
  newer: Entry | undefined;
  /** In the running batch. */
  change: StateChange | undefined;
}

/** Functions are given the key itself: one that was changed would never be found again. */
function fixed(key: unknown): unknown {
  if (typeof key === 'string') return ownText(key);
  if (typeof key !== 'object' || key === null || ArrayBuffer.isView(key) || Object.isFrozen(key)) return key;
  for (const part of Object.values(key)) fixed(part);
  return Object.freeze(key);
}

/** A row of state. */
export interface StateRow {
  readonly key: unknown;
  readonly value: unknown;
  readonly at: number;
}

/**
 * The state of one task partition as it was after some batch, and what the running batch changes, which becomes part of it only when `promote`
 * is called: until then `discard` gives back what was before. Keys are compared canonically. In order of last touch: what is idle is found
 * without looking at the rest. A change costs the same however many keys there are.
 */
export class StateTable {
  readonly #entries = new KeyMap<Entry>();
  readonly #changes = new Set<StateChange>();
  /** Changes of keys that have no entry. */
  readonly #fresh = new KeyMap<StateChange>();
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  /** Keys, without the changes. */
  get size(): number {
    return this.#entries.size;
  }

  /** What the running batch made of the key so far; undefined: it was not touched. @throws MillraceError USER_CODE for what cannot be a key. */
  changeOf(key: unknown): StateChange | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? this.#fresh.get(key) : entry.change;
  }

  /** The key's change, begun with what is kept of it. `key` may be held from now on. @throws MillraceError USER_CODE. */
  touch(key: unknown, at: number): StateChange {
    const entry = this.#entries.get(key);
    const known = entry === undefined ? this.#fresh.get(key) : entry.change;
    if (known !== undefined) return known;
    const change: StateChange = {
      key: entry === undefined ? fixed(key) : entry.key,
      value: entry?.value,
      at,
      isChanged: false,
    };
    if (entry === undefined) this.#fresh.set(key, change);
    else entry.change = change;
    this.#changes.add(change);
    return change;
  }

  /** Changes of the running batch, in order of touch; those that came to nothing are among them. */
  changes(): Iterable<StateChange> {
    return this.#changes;
  }

  /** It had state before the running batch. */
  has(key: unknown): boolean {
    return this.#entries.has(key);
  }

  /** Kept keys that the running batch has not touched, the one idle for longest first. Touching them while walking is fine. */
  *untouched(until = Number.POSITIVE_INFINITY): Generator<StateRow, void, undefined> {
    for (let entry = this.#oldest; entry !== undefined && entry.at <= until; entry = entry.newer) {
      if (entry.change === undefined) yield entry;
    }
  }

  /** All keys with what the running batch made of them: those it did not touch in order of last touch, then the others in order of touch. */
  *rows(): Generator<StateRow, void, undefined> {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer) {
      if (entry.change?.isChanged !== true) yield entry;
    }
    for (const change of this.#changes) if (change.isChanged && change.value !== undefined) yield change;
  }

  /** Keys as they will be when the changes are. */
  get sizeAfter(): number {
    let size = this.#entries.size;
    for (const { key, value, isChanged } of this.#changes) {
      if (!isChanged) continue;
      if (value === undefined) size -= this.#entries.has(key) ? 1 : 0;
      else if (!this.#entries.has(key)) size++;
    }
    return size;
  }

  /** Keys that the changes give another value, or remove. */
  get changedKeys(): number {
    let keys = 0;
    for (const { key, value, isChanged } of this.#changes)
      if (isChanged && (value !== undefined || this.#entries.has(key))) keys++;
    return keys;
  }

  /** The changes are the state now. */
  promote(): void {
    const changes = [...this.#changes];
    this.discard();
    for (const { key, value, at, isChanged } of changes) {
      if (!isChanged) continue;
      if (value === undefined) this.remove(key);
      else this.put(key, value, at);
    }
  }

  /** The changes never were. */
  discard(): void {
    for (const { key } of this.#changes) {
      const entry = this.#entries.get(key);
      if (entry) entry.change = undefined;
    }
    this.#changes.clear();
    this.#fresh.clear();
  }

  /** As read from a file: the newest touch. */
  put(key: unknown, value: unknown, at: number): void {
    const known = this.#entries.get(key);
    if (known) {
      known.value = value;
      known.at = at;
      this.#unlink(known);
      this.#append(known);
      return;
    }
    const entry: Entry = {
      // A text of a file is its own.
      key: typeof key === 'string' ? key : fixed(key),
      value,
      at,
      older: undefined,
      newer: undefined,
      change: undefined,
    };
    this.#entries.set(key, entry);
    this.#append(entry);
  }

  remove(key: unknown): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#unlink(entry);
  }

  /** All kept values, replaced. */
  replaceValues(replace: (value: unknown, key: unknown) => unknown): void {
    for (let entry = this.#oldest; entry !== undefined; entry = entry.newer)
      entry.value = replace(entry.value, entry.key);
  }

  #append(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest) this.#newest.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
