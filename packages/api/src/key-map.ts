import { MillraceError } from '@millrace/common';
import { canonicalKey } from './canonical-key.ts';

/**
 * A Map whose keys are equal when they are canonically (−0 = 0, one NaN, 1 ≠ 1n ≠ '1', tuples and plain objects by content). Iterates in order
 * of first appearance. A key stays the one that appeared first. For primitives that is what a Map does; only objects need their text.
 */
export class KeyMap<V> {
  /** By primitive, or by the object that appeared first. */
  readonly #map = new Map<unknown, V>();
  /** Canonical text of an object → the object that appeared first. */
  readonly #objects = new Map<string, object>();

  get size(): number {
    return this.#map.size;
  }

  /** @throws MillraceError USER_CODE for what cannot be a key. */
  get(key: unknown): V | undefined {
    if (isPrimitive(key)) return this.#map.get(key);
    const first = this.#objects.get(keyText(key));
    // undefined is a key itself.
    return first === undefined ? undefined : this.#map.get(first);
  }

  /** @throws MillraceError USER_CODE for what cannot be a key. */
  has(key: unknown): boolean {
    if (isPrimitive(key)) return this.#map.has(key);
    return this.#objects.has(keyText(key));
  }

  /** @throws MillraceError USER_CODE for what cannot be a key. */
  set(key: unknown, value: V): void {
    this.#map.set(isPrimitive(key) ? key : this.#first(key), value);
  }

  /** Whether there was such a key. @throws MillraceError USER_CODE for what cannot be a key. */
  delete(key: unknown): boolean {
    if (isPrimitive(key)) return this.#map.delete(key);
    const text = keyText(key);
    const first = this.#objects.get(text);
    this.#objects.delete(text);
    return first !== undefined && this.#map.delete(first);
  }

  clear(): void {
    this.#map.clear();
    this.#objects.clear();
  }

  keys(): MapIterator<unknown> {
    return this.#map.keys();
  }

  values(): MapIterator<V> {
    return this.#map.values();
  }

  entries(): MapIterator<[key: unknown, value: V]> {
    return this.#map.entries();
  }

  [Symbol.iterator](): MapIterator<[key: unknown, value: V]> {
    return this.#map.entries();
  }

  #first(key: unknown): unknown {
    const text = keyText(key);
    const first = this.#objects.get(text);
    if (first !== undefined) return first;
    this.#objects.set(text, key as object);
    return key;
  }
}

function isPrimitive(key: unknown): boolean {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return true;
    default:
      // Functions and symbols are refused by their text.
      return key === null;
  }
}

/** @throws MillraceError USER_CODE for what cannot be a key. */
export function keyText(key: unknown): string {
  try {
    return canonicalKey(key);
  } catch (error) {
    if (MillraceError.is(error)) throw error;
    // The stack, or the longest text, is exceeded; or a getter threw.
    throw new MillraceError('USER_CODE', 'a key is too large, nested too deeply or contains itself', {
      remedy: 'Use small keys: strings, numbers, or tuples of them.',
      retryable: false,
      cause: error,
    });
  }
}
