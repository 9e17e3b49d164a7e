import { memoizeUntilFailure } from '../capture/per-executor.ts';

interface InstanceRecipe {
  readonly create: () => unknown;
  readonly dispose: ((value: unknown) => unknown) | undefined;
}

interface Instance {
  readonly get: () => unknown;
  readonly dispose: () => Promise<void>;
}

/** The `perExecutor` values of one program in this process, by the hash of their factory's snapshot. */
export class ProgramInstances {
  readonly #instances = new Map<string, Instance>();

  /** A function that gives the instance; `recipe` is revived only when there is none yet. */
  getter(key: string, recipe: () => InstanceRecipe): () => unknown {
    return () => {
      let instance = this.#instances.get(key);
      if (instance === undefined) {
        instance = makeInstance(recipe());
        this.#instances.set(key, instance);
      }
      return instance.get();
    };
  }

  /** Disposes what was made, in reverse order. Throws the first failure after all were tried. */
  async close(): Promise<void> {
    const instances = [...this.#instances.values()].toReversed();
    this.#instances.clear();
    const failures: unknown[] = [];
    for (const instance of instances) {
      await instance.dispose().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}

function makeInstance({ create, dispose }: InstanceRecipe): Instance {
  let isMade = false;
  const get = memoizeUntilFailure(() => {
    const value = create();
    isMade = true;
    return value;
  });
  return {
    get,
    async dispose() {
      if (!isMade) return;
      const value = await get();
      if (dispose !== undefined) await dispose(value);
      else await disposeOwn(value);
    },
  };
}

async function disposeOwn(value: unknown): Promise<void> {
  if (typeof value !== 'object' || value === null) return;
  const dispose: unknown = Reflect.get(value, Symbol.asyncDispose) ?? Reflect.get(value, Symbol.dispose);
  if (typeof dispose === 'function') await Reflect.apply(dispose, value, []);
}
