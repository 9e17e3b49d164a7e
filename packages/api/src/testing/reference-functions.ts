import type { ShippedFunction } from '../shipped-function.ts';

/** One function is one content. */
export class ReferenceFunctions {
  readonly #hashes = new Map<Function, string>();
  readonly #functions = new Map<string, Function>();

  ship(fn: Function): ShippedFunction {
    const hash = this.#hashes.get(fn) ?? `f${this.#hashes.size}`;
    this.#hashes.set(fn, hash);
    this.#functions.set(hash, fn);
    return { hash, bytes: new Uint8Array(), place: 'job.ts:1:1', broadcastIds: [] };
  }

  of(shipped: ShippedFunction): Function {
    return this.#functions.get(shipped.hash) as Function;
  }
}
