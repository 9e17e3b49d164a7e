import { KeyMap } from '@millrace/api/internal';
import { detach } from '../pipeline/detach.ts';
import { MarkedRows } from './merge-by-mark.ts';
import type { RowBlock } from './row-block.ts';
import { sizeOf } from './value-size.ts';

export interface Entry {
  /** Number of the row in which the key first appeared. */
  readonly mark: number;
  combiner: unknown;
  /** As measured when it was last looked at. */
  bytes: number;
  /** Of values that were merged since: the combiner may have kept them. */
  unmeasuredBytes: number;
}

export interface PartSize {
  readonly part: number;
  bytes: number;
  keys: number;
}

/** What an entry costs beside its key and combiner. */
const ENTRY_BYTES = 120;

/** Keys and their combiners in memory, in order of first appearance, and about what they take. */
export class CombinerEntries {
  /** An estimate. */
  bytes = 0;
  readonly #entries = new KeyMap<Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** @throws MillraceError USER_CODE for what cannot be a key. */
  get(key: unknown): Entry | undefined {
    return this.#entries.get(key);
  }

  merge(entry: Entry, value: unknown, merge: (combiner: unknown, value: unknown) => unknown): void {
    const combiner = merge(entry.combiner, value);
    entry.combiner = combiner;
    // A number replaces another; what may have kept the value is measured when it looks too large.
    if (typeof combiner === 'number') return;
    const growth = sizeOf(value);
    entry.unmeasuredBytes += growth;
    this.bytes += growth;
    // Doubling: looking costs as much as merging did, and memory is at most overestimated twice.
    if (entry.unmeasuredBytes < entry.bytes) return;
    const before = entry.bytes + entry.unmeasuredBytes;
    entry.bytes = ENTRY_BYTES + sizeOf(combiner);
    entry.unmeasuredBytes = 0;
    this.bytes += entry.bytes - before;
  }

  insert(key: unknown, combiner: unknown, mark: number): void {
    const bytes = ENTRY_BYTES + sizeOf(key) + sizeOf(combiner);
    // A lambda may change its key later; not this one.
    this.#entries.set(typeof key === 'object' ? detach(key) : key, {
      mark,
      combiner,
      bytes,
      unmeasuredBytes: 0,
    });
    this.bytes += bytes;
  }

  remove(key: unknown, { bytes, unmeasuredBytes }: Entry): void {
    this.#entries.delete(key);
    this.bytes -= bytes + unmeasuredBytes;
  }

  clear(): void {
    this.#entries.clear();
    this.bytes = 0;
  }

  [Symbol.iterator](): Iterator<[unknown, Entry]> {
    return this.#entries[Symbol.iterator]();
  }

  /** What each of so many parts takes, afresh. */
  measure(parts: number, partOf: (key: unknown) => number): readonly PartSize[] {
    const sizes = Array.from({ length: parts }, (_, part): PartSize => ({ part, bytes: 0, keys: 0 }));
    this.bytes = 0;
    for (const [key, entry] of this.#entries) {
      entry.bytes = ENTRY_BYTES + sizeOf(key) + sizeOf(entry.combiner);
      entry.unmeasuredBytes = 0;
      this.bytes += entry.bytes;
      const size = sizes[partOf(key)];
      if (size === undefined) continue;
      size.bytes += entry.bytes;
      size.keys++;
    }
    return sizes;
  }

  /** All rows [key, combiner], with their marks. */
  *blocks(): Generator<RowBlock, void, undefined> {
    let chunk = new MarkedRows();
    for (const [key, { combiner, mark, bytes }] of this.#entries) {
      chunk.add(key, combiner, mark, bytes);
      if (!chunk.isFull) continue;
      yield chunk;
      chunk = new MarkedRows();
    }
    if (chunk.rows > 0) yield chunk;
  }
}
