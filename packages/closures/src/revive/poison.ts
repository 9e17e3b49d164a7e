import { MillraceError } from '@millrace/common';

/** Stands in for a value that could not travel: any use of it says why. */
export function poisonValue(message: string): unknown {
  const refuse = (): never => {
    throw new MillraceError('CLOSURE_CAPTURE', message);
  };
  return new Proxy(function unavailable() {}, {
    get: refuse,
    set: refuse,
    has: refuse,
    apply: refuse,
    construct: refuse,
    ownKeys: refuse,
    getPrototypeOf: refuse,
    deleteProperty: refuse,
    defineProperty: refuse,
  });
}
