/**
 * A value with this property is not copied when a lambda captures it.
 * `Symbol.for`: two copies of this package in one process agree on it.
 */
export const HANDLE: unique symbol = Symbol.for('millrace.handle') as never;

/** A reference that the slot resolves: to the broadcast's value, or to the task's own accumulator. */
export interface SharedHandle {
  readonly kind: 'broadcast' | 'accumulator';
  readonly id: string;
  /** An accumulator of the user's own kind: what it is made of, which travels with the lambda. */
  readonly custom?: object;
}

/** A value that lives on the driver only: RDD, DStream, StreamingContext. */
export interface ForbiddenHandle {
  /** Why, as the end of the sentence "captured `x` is an RDD: …". */
  readonly forbid: string;
  /** What to do instead, given what the author calls the value ('' for none). */
  readonly fix: (name: string) => string;
}

export type Handle = SharedHandle | ForbiddenHandle;

/** The handle of `value`, if it has one. `value` is no proxy. */
export function handleOf(value: object): Handle | undefined {
  if (!(HANDLE in value)) return undefined;
  return Reflect.get(value, HANDLE) as Handle;
}
