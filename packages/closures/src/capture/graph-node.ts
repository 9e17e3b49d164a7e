import type { ErrorCode } from '@millrace/common';
import type { CaptureMeta, ClosureMeta } from '../manifest.ts';
import { Integrity, type NodeTag } from '../snapshot/snapshot-format.ts';

/** How a value is reached from the node before it. */
export type Step =
  | { readonly kind: 'root' }
  | { readonly kind: 'capture'; readonly closure: ClosureMeta; readonly capture: CaptureMeta }
  | { readonly kind: 'property'; readonly key: string }
  | { readonly kind: 'element'; readonly index: number }
  | { readonly kind: 'entry'; readonly key: unknown }
  /** A connection that the user sees under this description, e.g. `(bound this)`; '' for none. */
  | { readonly kind: 'link'; readonly text: string };

export type ClosureCode = Extract<ErrorCode, `CLOSURE_${string}`>;

/** Why a value cannot be captured. */
export interface CaptureProblem {
  readonly code: ClosureCode;
  /** The end of the sentence "captured `x` is a Socket: …"; for refused closures the whole reason. */
  readonly reason: string;
  readonly fix: string | ((name: string) => string);
  /** A refused closure: what in its text is wrong. */
  readonly at?: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly name: string;
    /** Of what is wrong, in the line; default: of the name. */
    readonly length?: number;
  };
  /** Where the variable that `at` names is declared. */
  readonly declaredAt?: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly name: string;
  };
}

/** A property name among a node's values: written once for the whole snapshot. */
export class NameValue {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export const HOLE_VALUE: unique symbol = Symbol('hole');

/** One value of the captured graph that is not a primitive. */
export class GraphNode {
  /** What it is; primitives, Uint8Array, NameValue, HOLE_VALUE and other nodes. */
  tag: NodeTag;
  values: unknown[] = [];
  /** How each value that is a node is reached; for messages, and so only where it is cheap. */
  readonly source: unknown;
  /** Closure or class. */
  meta: ClosureMeta | undefined;
  /** Values from this index on are used only when a method of a class runs: they may be poisoned. */
  soft: ((index: number) => boolean) | undefined;
  /** Statics that a function reads of a captured class: not soft for whoever needs the function. */
  wants: { readonly owner: GraphNode; readonly members: readonly string[] }[] | undefined;
  steps: ((index: number) => Step) | undefined;
  problems: CaptureProblem[] | undefined;
  isTied = false;
  integrity: Integrity = Integrity.Extensible;
  /** Position in the snapshot, given when it is written. */
  index = -1;

  constructor(tag: NodeTag, source: unknown) {
    this.tag = tag;
    this.source = source;
  }
}
