import { inspect } from 'node:util';

export const UNAVAILABLE = 'unavailable:';

/** What the driver's side found: the bytes and what the lambda gives here, or why it is not compared. */
export type CapturedProgram =
  | { readonly bytes: string; readonly here: string }
  | { readonly skipped: string }
  | { readonly failed: string };

/** Calls; enough for all but what calls itself. */
const FUEL = 300;

// The text of a function is another one on each side.
// oxlint-disable-next-line no-extend-native -- in this process of its own only
Object.defineProperty(Function.prototype, Symbol.toPrimitive, { value: () => 'function' });

/** Calls as the rows of one task would; errors by their name. */
export function outcomeOf(lambda: (...args: never[]) => unknown): string {
  const outcomes: unknown[] = [];
  for (const row of [1, 2, 3]) {
    refuel();
    try {
      outcomes.push((lambda as (row: number) => unknown)(row));
    } catch (error) {
      const { name, message } = error as Error;
      // What a class does not need may be missing there; then its text says why.
      outcomes.push(name === 'MillraceError' ? `${UNAVAILABLE} ${message}` : `threw ${name}`);
    }
  }
  return inspect(outcomes, { depth: 6, breakLength: Number.POSITIVE_INFINITY });
}

export function refuel(): void {
  Object.assign(globalThis, { fuel: FUEL });
}
