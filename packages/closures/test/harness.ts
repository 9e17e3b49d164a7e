/** What a fixture module is given: it runs on the "driver", and ships functions to another process. */
export interface Harness {
  /** Captures `fn` now; each call revives it anew in the slot process and runs it there. */
  readonly ship: (fn: unknown) => (...args: unknown[]) => Promise<unknown>;
  /** [the result here, the result of the shipped copy]. */
  readonly both: (
    fn: (...args: never[]) => unknown,
    ...args: unknown[]
  ) => Promise<readonly [unknown, unknown]>;
  /** "CODE: message" of the refusal; 'accepted' when there is none. */
  readonly refusal: (fn: unknown) => string;
  /** The stack of what the shipped copy throws, mapped. */
  readonly stackOf: (fn: unknown, ...args: unknown[]) => Promise<string>;
  readonly broadcast: (value: unknown) => { readonly value: unknown };
  readonly accumulator: () => { readonly add: (value: number) => void; readonly value: number };
  /** A value that must not ship, as RDDs and contexts are. */
  readonly forbidden: (name: string) => object;
  readonly capture: (fn: unknown) => {
    hash: string;
    bytes: Uint8Array;
    label: string;
    warnings: () => readonly { readonly what: string; readonly fix: string }[];
  };
  /** Pid of the slot process. */
  readonly slotPid: () => number;
}

/** A fixture's default export: what each case did, by its name. */
export type Cases = Record<string, CaseOf>;

export interface CaseOf {
  readonly run: (harness: Harness) => unknown;
  /** Compared after JSON; without it `run` must give pairs of equal values (`both`). */
  readonly expect?: unknown;
  /** The text of `refusal` must match. */
  readonly refuses?: RegExp;
}

export interface CaseOutcome {
  readonly name: string;
  readonly actual: unknown;
  readonly expected: unknown;
}

/** Slot process messages. */
export interface SlotCall {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly args: readonly unknown[];
  readonly broadcasts: Readonly<Record<string, unknown>>;
}

export interface SlotReply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly stack: string };
  readonly sums: Readonly<Record<string, number>>;
}
