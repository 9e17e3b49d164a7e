import type { PersistedNode, StoredNode } from '@millrace/api/internal';
import { MapOutputs } from './map-outputs.ts';

/** What is there of a persisted dataset. All jobs that read it share it; it does not hold its lineage. */
export class KeptDataset {
  /** Names its files, with `isEvictable`. */
  readonly id: number;
  /** An executor may give up its files for others. */
  isEvictable: boolean;
  readonly outputs = new MapOutputs();
  /** Map partitions that a job is about to compute: others wait for them. */
  readonly claims = new Map<number, object>();
  /** Jobs that are under way with it. */
  users = 0;
  isReleased = false;
  /** Names of the files that tasks may have left: those that may be evicted, and those that may not. */
  readonly usedNames = new Set<string>();

  constructor(id: number, isEvictable: boolean) {
    this.id = id;
    this.isEvictable = isEvictable;
  }

  /** Its part of the path: where the next task writes. */
  takeName(): string {
    const name = keptName(this.id, this.isEvictable);
    this.usedNames.add(name);
    return name;
  }
}

/** "kept-3", or "cache-3" for what an executor may give up: executors go by it. */
function keptName(id: number, isEvictable: boolean): string {
  return `${isEvictable ? 'cache' : 'kept'}-${id}`;
}

/**
 * What outlives its batch: the persisted datasets of an application run, until they are released or nobody can reach them any more,
 * and which map partitions have been counted.
 */
export class KeptDatasets {
  /** Lineage holds what is kept of it, never the other way round. */
  readonly #byNode = new WeakMap<PersistedNode, KeptDataset>();
  readonly #released = new WeakSet<PersistedNode>();
  readonly #counted = new WeakMap<StoredNode, Set<number>>();
  readonly #live = new Set<KeptDataset>();
  readonly #forgotten: FinalizationRegistry<KeptDataset>;
  readonly #drop: (names: readonly string[], id: number) => void;
  #ids = 0;
  #hasChanged = false;

  /** `drop`: nobody reads the files of these names any more, nor a copy of the dataset `id`. */
  constructor(drop: (names: readonly string[], id: number) => void) {
    this.#drop = drop;
    this.#forgotten = new FinalizationRegistry((kept) => this.#end(kept));
  }

  /** Datasets of which something may be kept. */
  get size(): number {
    return this.#live.size;
  }

  of(node: PersistedNode): KeptDataset {
    const known = this.#byNode.get(node);
    if (known) return known;
    const kept = new KeptDataset(++this.#ids, node.level === 'MEMORY_ONLY');
    this.#byNode.set(node, kept);
    this.#live.add(kept);
    this.#forgotten.register(node, kept);
    return kept;
  }

  isHeld(node: PersistedNode, mapPartition: number): boolean {
    return this.#byNode.get(node)?.outputs.has(mapPartition) === true;
  }

  /** Jobs that begin from now on compute it as if it were not persisted. */
  release(node: PersistedNode): void {
    this.#released.add(node);
    const kept = this.#byNode.get(node);
    if (kept) this.#end(kept);
  }

  isReleased(node: PersistedNode): boolean {
    return this.#released.has(node);
  }

  /** Map partitions of it that have succeeded once, whatever was lost since: their records and accumulators count once. */
  counted(stored: StoredNode): Set<number> {
    const counted = this.#counted.get(stored) ?? new Set<number>();
    this.#counted.set(stored, counted);
    return counted;
  }

  /** Jobs that wait for another's claim may go on. */
  changed(): void {
    this.#hasChanged = true;
  }

  /** Whether they may, since the last call. */
  takeChanged(): boolean {
    const had = this.#hasChanged;
    this.#hasChanged = false;
    return had;
  }

  /** A job is over with it. */
  leave(kept: KeptDataset): void {
    kept.users--;
    if (kept.isReleased) this.#end(kept);
  }

  /** The application run is over. */
  close(): void {
    for (const kept of this.#live) this.#end(kept);
  }

  #end(kept: KeptDataset): void {
    kept.isReleased = true;
    if (kept.users > 0 || !this.#live.delete(kept)) return;
    if (kept.usedNames.size > 0) this.#drop([...kept.usedNames], kept.id);
  }
}
