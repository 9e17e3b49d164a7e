import type { JobWarning } from './errors/job-warning.ts';

/** A place in a source file as its author sees it. `line` counts from 1, `column` from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A position together with its file, relative to the source root. `column` counts from 1, as editors show it. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One captured variable; the order is the order of the values that the closure's thunk returns. */
export interface CaptureMeta {
  /** As written: `threshold`, `this.factor`, `config.limit`, `this`. */
  readonly name: string;
  readonly at: Position;
  readonly declaredAt?: Position;
  /** The file of `declaredAt` when it is not the closure's own. */
  readonly declaredIn?: string;
  /** Imported from another user module: resolved to `declaredAt` when the whole job is known. */
  readonly importedFrom?: { readonly specifier: string; readonly name: string };
  /** A property of the arrow's `this`, when nothing else of that is used. */
  readonly ofThis?: string;
  /** The name of a class: never undefined once its declaration was evaluated. */
  readonly isClassName?: true;
  /** What is read of it as `Config.limit`, when it may be a class: these statics are needed for certain. */
  readonly members?: readonly string[];
  /** It is the arrow's `this`, passed apart from the parameters. */
  readonly isThis?: true;
  /** `static #x` of a class: the last captures; set when the class exists. */
  readonly isStaticPrivate?: true;
  /** What its declaration reads from the clock or at random, if so: `Date.now()`. */
  readonly reads?: FixedRead;
  /** A class needs it while it is being evaluated (superclass, static initialiser). */
  readonly eager?: true;
}

/** A call whose result is another one each time. */
export interface FixedRead {
  readonly source: 'clock' | 'random';
  /** As written. */
  readonly text: string;
}

export interface ClosureMeta {
  /** Content hash of file, text and captured names: editing one lambda changes only its own. */
  readonly id: string;
  readonly file: string;
  readonly name: string;
  readonly kind: 'function' | 'class';
  readonly start: Position;
  readonly captures: readonly CaptureMeta[];
  /** Assignments to captured variables: such a closure runs on the driver only. */
  readonly writes: readonly {
    readonly name: string;
    readonly at: Position;
    /** `seen++`, `total += n`: what an accumulator does. */
    readonly isCount?: true;
  }[];
  /** Why its text cannot be moved to another process. */
  readonly refusal?: {
    readonly reason: string;
    readonly fix: string;
    readonly at: Position;
    /** Of the part of the text that is wrong. */
    readonly length?: number;
  };
  /** Statics of a class that its text makes there, too: functions that use `#x`. */
  readonly keeps?: readonly string[];
  /** A class with `#private` instance fields. */
  readonly hasPrivateFields?: true;
  /** A captured variable may be assigned after the closure is created, so it may be part of a cycle. */
  readonly mayBeCyclic?: true;
}

/** An import that executors resolve by themselves. */
export interface ImportMeta {
  readonly key: string;
  readonly specifier: string;
  /** The imported name, `default`, or `*`. */
  readonly name: string;
}

/** What the driver must know of a job's closures; executors never read it. */
export interface JobManifest {
  readonly formatVersion: 1;
  readonly programHash: string;
  /** The entry module, relative to the source root. */
  readonly entry: string;
  readonly nodeMajor: number;
  readonly apiVersion: string;
  readonly closures: readonly ClosureMeta[];
  readonly imports: readonly ImportMeta[];
  /** What the sources alone show; captures have warnings of their own. */
  readonly warnings?: readonly JobWarning[];
  /** Text of each user file, for code frames. */
  readonly sources: Readonly<Record<string, string>>;
}
