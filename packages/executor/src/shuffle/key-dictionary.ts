import { TextIndex } from './text-index.ts';
import { textSize } from './value-size.ts';

/** Texts at a time. They fit in the processor's caches with what a reader has of them; 2^17 users or pages are many for a map task. */
const TEXTS_MAX = 2 ** 17;
/** Of a text, beside its length: what it takes here and in the index. */
const TEXT_BYTES = 64;
/** A text costs what about three rows without a number do: when it is full and was used less, numbers do not pay. */
const ROWS_A_TEXT_MIN = 4;

/**
 * The texts that are keys of a map task's rows, each with its bucket and its number there: rows then have numbers for keys, which need not be hashed,
 * written, read and compared text by text. Begins anew when it is full.
 */
export class KeyDictionary {
  /** By text: its number among those of its bucket, times the number of buckets, plus its bucket. */
  readonly places: number[] = [];
  readonly #texts: string[] = [];
  readonly #index = new TextIndex(this.#texts);
  readonly #bytesMax: number;
  readonly #counts: number[];
  #bytes = 0;
  #rows = 0;

  constructor(buckets: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#counts = Array.from({ length: buckets }, () => 0);
  }

  /** Whether texts have to be forgotten before one more. */
  get isFull(): boolean {
    return this.#texts.length >= TEXTS_MAX || this.#bytes >= this.#bytesMax;
  }

  /** Whether the texts since the last `clear` were used often enough. */
  get pays(): boolean {
    return this.#rows >= ROWS_A_TEXT_MIN * this.#texts.length;
  }

  /** The text of one more row; -1: it is not known. */
  find(text: string): number {
    this.#rows++;
    return this.#index.find(text);
  }

  /** A text that is not known; -1: it is none for a dictionary. */
  add(text: string, bucket: number): number {
    const at = this.#texts.length;
    if (!this.#index.add(text, at)) return -1;
    const number = this.#counts[bucket] ?? 0;
    this.#counts[bucket] = number + 1;
    this.#texts.push(text);
    this.places.push(number * this.#counts.length + bucket);
    this.#bytes += TEXT_BYTES + textSize(text);
    return at;
  }

  clear(): void {
    this.#index.clear();
    this.#texts.length = 0;
    this.places.length = 0;
    this.#counts.fill(0);
    this.#bytes = 0;
    this.#rows = 0;
  }
}
