import { KeyMap } from '@millrace/api/internal';
import { mayBePart, owned } from '../pipeline/detach.ts';
import { MarkedRows } from './merge-by-mark.ts';
import type { RowBlock } from './row-block.ts';
import { TextIndex } from './text-index.ts';
import { sizeOf } from './value-size.ts';

export interface PartSize {
  readonly part: number;
  bytes: number;
  keys: number;
}

/** What an entry costs beside its key and combiner. */
const ENTRY_BYTES = 120;

/**
 * Keys and their combiners in memory, in order of first appearance, and about what they take. An entry is a number, under which each of its
 * parts is in an array of its own: a loop over rows makes no objects, and reads no more than it needs.
 */
export class CombinerEntries {
  /** An estimate. */
  bytes = 0;
  /** By entry. */
  readonly combiners: unknown[] = [];
  /** By entry. A key of undefined has an entry like all others. */
  readonly #keys: unknown[] = [];
  /** Number of the row in which the key first appeared; REMOVED: the entry is none any more. */
  readonly #marks: number[] = [];
  /** As measured when it was last looked at. */
  readonly #bytes: number[] = [];
  /** Of values that were merged since: the combiner may have kept them. */
  readonly #unmeasuredBytes: number[] = [];
  readonly #texts = new TextIndex(this.#keys);
  /** What is not among the texts. */
  readonly #others = new KeyMap<number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Entries are below this number; some may have been removed. */
  get end(): number {
    return this.#keys.length;
  }

  /** The entry of a text, when it is a quick one; -1 otherwise: `find` knows. */
  ofText(text: string): number {
    return this.#texts.find(text);
  }

  /** The entry of a key, or -1. @throws MillraceError USER_CODE for what cannot be a key. */
  find(key: unknown): number {
    const at = typeof key === 'string' ? this.#texts.find(key) : -1;
    return at >= 0 || this.#others.size === 0 ? at : (this.#others.get(key) ?? -1);
  }

  /** `combiner` is what the entry's became with one more value. */
  merged(at: number, combiner: unknown, value: unknown): void {
    this.combiners[at] = combiner;
    // A number replaces another; what may have kept the value is measured when it looks too large.
    if (typeof combiner === 'number') return;
    const growth = sizeOf(value);
    const unmeasured = (this.#unmeasuredBytes[at] as number) + growth;
    const before = this.#bytes[at] as number;
    this.#unmeasuredBytes[at] = unmeasured;
    this.bytes += growth;
    // Doubling: looking costs as much as merging did, and memory is at most overestimated twice.
    if (unmeasured >= before) this.#measure(at);
  }

  /**
   * From now on no combiner keeps what its values were a part of: a fetch, of which it has a record, or a text that it was cut out of. One that
   * cannot be copied stays what it is.
   */
  own(): void {
    for (let at = 0; at < this.combiners.length; at++) {
      const combiner = this.combiners[at];
      if (typeof combiner === 'number' || !mayBePart(combiner)) continue;
      try {
        this.combiners[at] = owned(combiner);
      } catch {
        // An instance of a class: of use as long as it need not leave the task.
        continue;
      }
      this.#measure(at);
    }
  }

  /** Of a key that has no entry. @throws MillraceError USER_CODE for what cannot be a key. */
  insert(key: unknown, combiner: unknown, mark: number): void {
    const bytes = ENTRY_BYTES + sizeOf(key) + sizeOf(combiner);
    // A lambda may change its key later; not this one. −0 is 0.
    const own = typeof key === 'object' || typeof key === 'string' ? owned(key) : key === 0 ? 0 : key;
    const at = this.#keys.length;
    if (typeof own !== 'string' || !this.#texts.add(own, at)) this.#others.set(own, at);
    this.#keys.push(own);
    this.combiners.push(combiner);
    this.#marks.push(mark);
    this.#bytes.push(bytes);
    this.#unmeasuredBytes.push(0);
    this.bytes += bytes;
    this.#size++;
  }

  /** Afterwards `compact` is due, before anything else is asked. */
  remove(at: number): void {
    this.bytes -= (this.#bytes[at] as number) + (this.#unmeasuredBytes[at] as number);
    this.#marks[at] = REMOVED;
    this.#keys[at] = undefined;
    this.combiners[at] = undefined;
    this.#size--;
  }

  /** Numbers the entries that are left anew. */
  compact(): void {
    this.#texts.clear();
    this.#others.clear();
    let next = 0;
    for (let at = 0; at < this.#keys.length; at++) {
      if (this.#marks[at] === REMOVED) continue;
      const key = this.#keys[at];
      this.#keys[next] = key;
      this.combiners[next] = this.combiners[at];
      this.#marks[next] = this.#marks[at] as number;
      this.#bytes[next] = this.#bytes[at] as number;
      this.#unmeasuredBytes[next] = this.#unmeasuredBytes[at] as number;
      if (typeof key !== 'string' || !this.#texts.add(key, next)) this.#others.set(key, next);
      next++;
    }
    this.#cut(next);
  }

  clear(): void {
    this.#texts.clear();
    this.#others.clear();
    this.#cut(0);
    this.#size = 0;
    this.bytes = 0;
  }

  /** Key, combiner and mark of an entry; undefined: it was removed. */
  rowOf(
    at: number,
  ): { readonly key: unknown; readonly combiner: unknown; readonly mark: number } | undefined {
    const mark = this.#marks[at] as number;
    return mark === REMOVED ? undefined : { key: this.#keys[at], combiner: this.combiners[at], mark };
  }

  /** What each of so many parts takes, afresh. */
  measure(parts: number, partOf: (key: unknown) => number): readonly PartSize[] {
    const sizes = Array.from({ length: parts }, (_, part): PartSize => ({ part, bytes: 0, keys: 0 }));
    this.bytes = 0;
    for (const [at, key] of this.#keys.entries()) {
      this.#bytes[at] = 0;
      this.#unmeasuredBytes[at] = 0;
      this.#measure(at);
      const size = sizes[partOf(key)];
      if (size === undefined) continue;
      size.bytes += this.#bytes[at];
      size.keys++;
    }
    return sizes;
  }

  /** All rows [key, combiner], with their marks. */
  *blocks(): Generator<RowBlock, void, undefined> {
    let chunk = new MarkedRows();
    for (let at = 0; at < this.#keys.length; at++) {
      chunk.add(this.#keys[at], this.combiners[at], this.#marks[at] as number, this.#bytes[at] as number);
      if (!chunk.isFull) continue;
      yield chunk;
      chunk = new MarkedRows();
    }
    if (chunk.rows > 0) yield chunk;
  }

  #measure(at: number): void {
    const bytes = ENTRY_BYTES + sizeOf(this.#keys[at]) + sizeOf(this.combiners[at]);
    this.bytes += bytes - (this.#bytes[at] as number) - (this.#unmeasuredBytes[at] as number);
    this.#bytes[at] = bytes;
    this.#unmeasuredBytes[at] = 0;
  }

  #cut(length: number): void {
    this.#keys.length = length;
    this.combiners.length = length;
    this.#marks.length = length;
    this.#bytes.length = length;
    this.#unmeasuredBytes.length = length;
  }
}

/** Marks are numbers of rows. */
const REMOVED = -1;
