import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Clock, MillraceError, messageOf, systemClock } from '@millrace/common';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { readSnapshot, type SnapshotNode } from '../snapshot/snapshot-reader.ts';
import { ProgramInstances } from './program-instances.ts';
import type { ProgramModule } from './program-module.ts';
import type { Revival } from './revival.ts';
import { type ReviveContext, Reviver } from './reviver.ts';
import { SharedClasses } from './shared-classes.ts';

/** A revived function: the caller knows its type. */
export type RevivedFunction = (...args: never[]) => unknown;

/** The executor side of a bundle, loaded in this process. */
export interface Program {
  /**
   * A new live function from the bytes of `captureClosure`: nothing that it changes is seen by another call.
   * Only `perExecutor` values are shared, and by calls with one `context` (those of a task) top-level classes. Throws MillraceError PROGRAM_MISSING, BAD_REQUEST or USER_CODE (an import
   * of the closure threw while it was evaluated).
   */
  readonly revive: (bytes: Uint8Array, context: ReviveContext) => Promise<RevivedFunction>;
  /**
   * A task of this batch is over: disposes the `perExecutor` values whose key has changed. To be called before the next
   * task is revived; that one need not wait for the promise. Throws MillraceError USER_CODE when one could not be disposed (5 s each); all are tried.
   */
  readonly endTask: (batchTime: number) => Promise<void>;
  /** Disposes the `perExecutor` values, the latest first. Throws as `endTask`. */
  readonly close: () => Promise<void>;
}

/** Loads `<dir>/executor/closures.mjs`. Nothing of the user's code runs before a closure is revived. */
export async function openProgram(dir: string): Promise<Program> {
  const path = join(dir, 'executor', 'closures.mjs');
  try {
    const loaded = (await import(pathToFileURL(path).href)) as { default: ProgramModule };
    return createProgram(loaded.default);
  } catch (error) {
    throw MillraceError.from(error, 'PROGRAM_MISSING', { remedy: `The program in ${dir} cannot be loaded.` });
  }
}

export interface ProgramOptions {
  readonly clock?: Clock;
  /** Told of every function that is revived. */
  readonly watch?: (revived: object, revival: Revival) => void;
}

/** A program from factories that are in this process already. */
export function createProgram(module: ProgramModule, options: ProgramOptions = {}): Program {
  const imports = new ImportValues(module);
  const instances = new ProgramInstances(options.clock ?? systemClock);
  const classes = new WeakMap<ReviveContext, SharedClasses>();
  return {
    async revive(bytes, context) {
      const nodes = readSnapshot(bytes);
      instances.touch(nodes);
      const missing = imports.missing(nodes);
      if (missing.length > 0) await imports.load(missing);
      const shared = classes.get(context) ?? new SharedClasses();
      classes.set(context, shared);
      const reviver = new Reviver(nodes, module, imports.values, instances, context);
      const revived = reviver.root(shared) as RevivedFunction;
      options.watch?.(revived, { nodes, built: reviver.built });
      return revived;
    },
    endTask: (batchTime) => instances.endTask(batchTime),
    close: () => instances.close(),
  };
}

/** Imports of lifted closures: each is loaded when a closure that uses it is first revived. */
class ImportValues {
  readonly values = new Map<string, unknown>();
  readonly #module: ProgramModule;

  constructor(module: ProgramModule) {
    this.#module = module;
  }

  missing(nodes: readonly SnapshotNode[]): string[] {
    const keys = new Set<string>();
    for (const { tag, values } of nodes) {
      const isClosure = tag === NodeTag.Closure || tag === NodeTag.FullClosure || tag === NodeTag.Class;
      if (!isClosure && tag !== NodeTag.Import) continue;
      const used = isClosure ? this.#module.factories[values[0] as string]?.imports : [values[0] as string];
      for (const key of used ?? []) if (!this.values.has(key)) keys.add(key);
    }
    return [...keys];
  }

  async load(keys: readonly string[]): Promise<void> {
    await Promise.all(
      keys.map(async (key) => {
        const load = this.#module.imports[key];
        if (load === undefined)
          throw new MillraceError('PROGRAM_MISSING', `The loaded program has no import ${key}`);
        try {
          this.values.set(key, (await load()).v);
        } catch (error) {
          throw MillraceError.from(error, 'USER_CODE', {
            remedy: `A package that the lambda uses failed to load: ${messageOf(error)}`,
          });
        }
      }),
    );
  }
}
