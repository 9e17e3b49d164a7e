export type TiedClosure = readonly [unknown, (values: readonly unknown[]) => void];

/** The lifted text of one closure, as the executor bundle has it. */
export interface ClosureFactory {
  /** Keys of the imports that come before the captures. */
  readonly imports?: readonly string[];
  /** Indexes of the captures that a class needs while it is evaluated. */
  readonly eager?: readonly number[];
  /** So many of the last captures are values of `static #x`. */
  readonly privates?: number;
  /** A class that its module makes once. */
  readonly single?: boolean;
  /** Gives the closure; `this` becomes an arrow's `this`. */
  readonly make: (...values: unknown[]) => unknown;
  /** For cycles: [the closure (of a class: a function that gives it), sets the captures]. */
  readonly tie?: (...imports: unknown[]) => TiedClosure;
}

/** The default export of `executor/closures.mjs`. */
export interface ProgramModule {
  readonly factories: Readonly<Record<string, ClosureFactory>>;
  readonly imports: Readonly<Record<string, () => Promise<{ readonly v: unknown }>>>;
}
