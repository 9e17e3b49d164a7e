import { textHash } from './key-hash.ts';

const SLOTS_MIN = 64;
/** 256 MiB: 16M texts, which is what a Map of V8 holds. */
const SLOTS_MAX = 2 ** 25;
/** Longer texts are for V8's Map, which hashes them in C++ and remembers it. */
const LENGTH_MAX = 64;
/** Texts can be made so that their hashes collide. What is not found so soon is not looked for longer, nor kept here. */
const PROBES_MAX = 64;

/**
 * Which of `texts` is this one: an open-addressing hash table with linear probing (Knuth, TAOCP 6.4, algorithm L). Twice as fast as a Map for texts
 * that were just cut out of others: those have no hash yet, and V8's Map calls C++ to make it (`npm run bench -- wordcount`).
 */
export class TextIndex {
  readonly #texts: readonly unknown[];
  /**
   * Two a slot, which the processor reads at once: a number in `texts` plus 1 (0: free), and the hash of that text, by which others are told apart
   * without looking at them. Slots are a power of two.
   */
  #slots = new Int32Array(2 * SLOTS_MIN);
  #size = 0;
  /** It takes no more. */
  #isClosed = false;

  constructor(texts: readonly unknown[]) {
    this.#texts = texts;
  }

  /** The number of the text; -1 when it is not here. */
  find(text: string): number {
    if (text.length > LENGTH_MAX) return -1;
    const hash = textHash(text);
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = slotOf(hash, mask);
    for (let probes = 0; probes < PROBES_MAX; probes++) {
      const number = slots[at] as number;
      if (number === 0) return -1;
      if (slots[at + 1] === hash && this.#texts[number - 1] === text) return number - 1;
      at = (at + 2) & mask;
    }
    return -1;
  }

  /** `text`, which is not here, has this number from now on; false: it is not for this table. */
  add(text: string, number: number): boolean {
    if (text.length > LENGTH_MAX) return false;
    // At most half full: a probe or two find a text.
    if (4 * this.#size >= this.#slots.length && !this.#isClosed) this.#grow();
    if (this.#isClosed || !put(this.#slots, textHash(text), number + 1)) return false;
    this.#size++;
    return true;
  }

  clear(): void {
    this.#slots = new Int32Array(2 * SLOTS_MIN);
    this.#size = 0;
    this.#isClosed = false;
  }

  #grow(): void {
    const slots = new Int32Array(2 * this.#slots.length);
    // What found room has it again, unless hashes were made to collide: then the table stays as it is.
    if (slots.length > 2 * SLOTS_MAX || !this.#movedTo(slots)) this.#isClosed = true;
    else this.#slots = slots;
  }

  #movedTo(slots: Int32Array): boolean {
    for (let at = 0; at < this.#slots.length; at += 2) {
      const number = this.#slots[at] as number;
      if (number !== 0 && !put(slots, this.#slots[at + 1] as number, number)) return false;
    }
    return true;
  }
}

function put(slots: Int32Array, hash: number, number: number): boolean {
  const mask = slots.length - 1;
  let at = slotOf(hash, mask);
  for (let probes = 0; probes < PROBES_MAX; probes++) {
    if (slots[at] === 0) {
      slots[at] = number;
      slots[at + 1] = hash;
      return true;
    }
    at = (at + 2) & mask;
  }
  return false;
}

/** Where the slot of a hash begins. The low bits of FNV alone spread badly. */
function slotOf(hash: number, mask: number): number {
  return ((hash ^ (hash >>> 15)) << 1) & mask;
}
