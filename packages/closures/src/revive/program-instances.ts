import { type Clock, MillraceError, messageOf, systemClock, withDeadline } from '@millrace/common';
import { memoizeUntilFailure } from '../capture/per-executor.ts';
import { NodeTag } from '../snapshot/snapshot-format.ts';
import { NodeReference, type SnapshotNode } from '../snapshot/snapshot-reader.ts';

interface InstanceRecipe {
  readonly create: () => unknown;
  readonly dispose: ((value: unknown) => unknown) | undefined;
}

interface Instance {
  readonly get: () => unknown;
  readonly dispose: () => Promise<void>;
  /** The batch whose task was the last to have it. */
  lastBatch: number;
}

/** One `perExecutor(…)` of the source: its values by key, and the batches that used any of them here. */
interface Site {
  readonly instances: Map<string, Instance>;
  /** Ascending; the last few are enough. */
  batches: number[];
}

/** A value may need so long to close; then the next one has its turn. */
const DISPOSE_TIMEOUT_MS = 5_000;
/** A key that so many later batches of its site did not use is one that has changed. */
const UNUSED_BATCHES_MAX = 2;

/**
 * The `perExecutor` values of one program in this process, by the hash of their factory's snapshot. A changed capture is
 * another key, and so another value; the old one is disposed when two later batches used the same `perExecutor` without it.
 * (Not at once: `hosts.map((host) => perExecutor(() => connect(host)))` has several keys that all stay in use.)
 */
export class ProgramInstances {
  readonly #clock: Clock;
  readonly #sites = new Map<string, Site>();
  /** Keys that the snapshots since the last `endTask` hold, by site. */
  #touched = new Map<string, Set<string>>();
  /** What `#made` holds was made in this order: what an instance's factory used comes before it. */
  readonly #made = new Set<Instance>();
  /** Disposals, one after the other. */
  #disposals: Promise<void> = Promise.resolve();

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** A snapshot that is revived: what it holds is in use, whether it is called or not. */
  touch(nodes: readonly SnapshotNode[]): void {
    for (const node of nodes) {
      if (node.tag !== NodeTag.PerExecutor) continue;
      const site = siteOf(nodes, node);
      this.#touched.set(site, (this.#touched.get(site) ?? new Set()).add(node.values[0] as string));
    }
  }

  /** A function that gives the instance of a node; `recipe` is revived only when there is none yet. */
  getter(nodes: readonly SnapshotNode[], node: SnapshotNode, recipe: () => InstanceRecipe): () => unknown {
    const site = siteOf(nodes, node);
    return () => this.#instance(site, node.values[0] as string, recipe).get();
  }

  /** A task of this batch is over: disposes the instances whose key has changed. Throws as `close`. */
  async endTask(batchTime: number): Promise<void> {
    const touched = this.#touched;
    this.#touched = new Map();
    const outdated = new Set<Instance>();
    for (const [name, keys] of touched) {
      const site = this.#site(name);
      if (!site.batches.includes(batchTime))
        site.batches = [...site.batches, batchTime].toSorted((a, b) => a - b).slice(-UNUSED_BATCHES_MAX);
      for (const [key, instance] of site.instances) {
        if (keys.has(key)) instance.lastBatch = Math.max(instance.lastBatch, batchTime);
        if (site.batches.length < UNUSED_BATCHES_MAX || (site.batches[0] ?? 0) <= instance.lastBatch)
          continue;
        site.instances.delete(key);
        outdated.add(instance);
      }
    }
    if (outdated.size > 0) await this.#dispose([...this.#made].filter((instance) => outdated.has(instance)));
  }

  /** Disposes what was made, the latest first, each within 5 s. Throws what failed, after all were tried. */
  async close(): Promise<void> {
    this.#sites.clear();
    await this.#dispose([...this.#made]);
  }

  #site(name: string): Site {
    const known = this.#sites.get(name);
    if (known !== undefined) return known;
    const site: Site = { instances: new Map(), batches: [] };
    this.#sites.set(name, site);
    return site;
  }

  #instance(siteName: string, key: string, recipe: () => InstanceRecipe): Instance {
    const { instances } = this.#site(siteName);
    let instance = instances.get(key);
    if (instance === undefined) {
      instance = makeInstance(recipe(), (made) => this.#made.add(made));
      instances.set(key, instance);
    }
    return instance;
  }

  #dispose(instances: readonly Instance[]): Promise<void> {
    const disposal = this.#disposals.then(() => this.#disposeAll(instances));
    this.#disposals = disposal.catch(() => undefined);
    return disposal;
  }

  async #disposeAll(instances: readonly Instance[]): Promise<void> {
    const failures: unknown[] = [];
    for (const instance of instances.toReversed()) {
      this.#made.delete(instance);
      await withDeadline(
        instance.dispose(),
        DISPOSE_TIMEOUT_MS,
        'disposing a perExecutor value',
        this.#clock,
      ).catch((error: unknown) => failures.push(error));
    }
    if (failures.length === 0) return;
    throw new MillraceError(
      'USER_CODE',
      `a perExecutor value could not be disposed: ${messageOf(failures[0])}`,
      {
        cause: failures[0],
        details: { failures: failures.length },
      },
    );
  }
}

function makeInstance({ create, dispose }: InstanceRecipe, onMade: (made: Instance) => void): Instance {
  let made: { readonly value: unknown } | undefined;
  const instance: Instance = {
    get: memoizeUntilFailure(() => {
      made = { value: create() };
      onMade(instance);
      return made.value;
    }),
    lastBatch: Number.NEGATIVE_INFINITY,
    async dispose() {
      if (made === undefined) return;
      let value: unknown;
      try {
        value = await made.value;
      } catch {
        return; // an async factory that failed: nothing was made
      }
      if (dispose !== undefined) await dispose(value);
      else await disposeOwn(value);
    },
  };
  return instance;
}

/** The closure that the factory is, or is bound to: the same for all keys of one place in the source. */
function siteOf(nodes: readonly SnapshotNode[], node: SnapshotNode): string {
  let at = node.values[1];
  for (let hop = 0; hop < nodes.length && at instanceof NodeReference; hop++) {
    const [first] = nodes[at.index]?.values ?? [];
    if (typeof first === 'string') return first;
    at = first;
  }
  return node.values[0] as string;
}

async function disposeOwn(value: unknown): Promise<void> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
  const dispose: unknown = Reflect.get(value, Symbol.asyncDispose) ?? Reflect.get(value, Symbol.dispose);
  if (typeof dispose === 'function') await Reflect.apply(dispose, value, []);
}
