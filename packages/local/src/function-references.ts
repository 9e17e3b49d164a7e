import { randomUUID } from 'node:crypto';
import type { ShippedFunction } from '@millrace/api/internal';
import { functionPlace, type Program, type RevivedFunction } from '@millrace/closures';
import { MillraceError } from '@millrace/common';

// Lambdas made anew in every batch must not pile up; those of running batches are the newest by far.
const REFERENCES_MAX = 100_000;

/**
 * Lambdas by reference: what "ships" is a number, and the slot in the same process looks the function up. So a program that was
 * not transformed runs as it is; lambdas share variables with it, as they would with Array.map.
 */
export class FunctionReferences {
  readonly #byNumber = new Map<number, Function>();
  readonly #numbers = new WeakMap<Function, number>();
  /** A number says nothing of what a function does: of another process it is another function. */
  readonly #process = randomUUID();
  #next = 1;

  /** The shipper of an embedded application. */
  readonly ship = (fn: Function, where: string): ShippedFunction => {
    const number = this.#numberOf(fn);
    const place = functionPlace(fn);
    return {
      hash: `reference-${this.#process}-${number}`,
      bytes: Buffer.from(String(number)),
      place: place ? `${place.file}:${place.line}:${place.column}` : `${where}(${fn.name})`,
      broadcastIds: [],
    };
  };

  /** What a slot opens instead of a bundle. */
  get program(): Program {
    const byNumber = this.#byNumber;
    return {
      async revive(bytes) {
        const number = Number(Buffer.from(bytes).toString());
        const fn = byNumber.get(number);
        if (fn) return fn as RevivedFunction;
        throw new MillraceError('INTERNAL', `lambda ${number} was forgotten`, {
          remedy: `At most ${REFERENCES_MAX} lambdas are kept.`,
        });
      },
      // What perExecutor made belongs to whoever made the functions: it lives as long as the process.
      endTask: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }

  #numberOf(fn: Function): number {
    const known = this.#numbers.get(fn);
    if (known !== undefined && this.#byNumber.has(known)) {
      // Used again: the newest.
      this.#byNumber.delete(known);
      this.#byNumber.set(known, fn);
      return known;
    }
    const number = this.#next++;
    this.#numbers.set(fn, number);
    this.#byNumber.set(number, fn);
    const oldest = this.#byNumber.keys().next().value;
    if (this.#byNumber.size > REFERENCES_MAX && oldest !== undefined) this.#byNumber.delete(oldest);
    return number;
  }
}
