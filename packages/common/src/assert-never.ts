import { MillraceError } from './millrace-error.ts';

/** Ends a switch over a union: a case that the compiler did not force somebody to write throws INTERNAL. */
export function assertNever(value: never, what: string): never {
  throw new MillraceError('INTERNAL', `unexpected ${what}: ${JSON.stringify(value)}`);
}

/**
 * An assertion that stays on in production: it guards data, so it stops the work instead of going on with a broken invariant.
 * @throws MillraceError INTERNAL when `condition` is false.
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new MillraceError('INTERNAL', `invariant broken: ${message}`);
}
