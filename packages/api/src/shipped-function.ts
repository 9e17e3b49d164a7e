/** A lambda as it travels: its snapshot, content-addressed. */
export interface ShippedFunction {
  /** Content hash of the snapshot. */
  readonly hash: string;
  readonly bytes: Uint8Array;
  /** Where the lambda stands: "job.ts:12:8". */
  readonly place: string;
  /** Broadcasts that it reads, by blob hash. */
  readonly broadcastIds: readonly string[];
}

/** Turns a lambda into what travels. @throws MillraceError CLOSURE_* with a code frame when it cannot. */
export type FunctionShipper = (fn: Function, where: string) => ShippedFunction;
