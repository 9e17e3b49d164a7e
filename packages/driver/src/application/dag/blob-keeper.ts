import { MillraceError } from '@millrace/common';
import { contentHash } from '@millrace/proto/task';
import type { TaskBackend } from '../../task-backend.ts';

interface KeptBroadcast {
  readonly stored: Promise<void>;
  /** Who made it and has not destroyed it: equal values are one broadcast. */
  holders: number;
  hasFailed: boolean;
}

/**
 * What executors fetch by hash: broadcasts, until they are destroyed, and large snapshots, until a batch has not used them.
 * So no more is kept than broadcasts and one batch's snapshots.
 */
export class BlobKeeper {
  readonly #backend: TaskBackend;
  readonly #broadcasts = new Map<string, KeptBroadcast>();
  readonly #snapshots = new Map<string, Promise<void>>();
  #used = new Set<string>();

  constructor(backend: TaskBackend) {
    this.#backend = backend;
  }

  broadcast(content: Uint8Array): string {
    const hash = contentHash(content);
    const known = this.#broadcasts.get(hash);
    if (known?.hasFailed === false) {
      known.holders++;
      return hash;
    }
    const stored = this.#backend.putBlob(hash, content);
    const kept: KeptBroadcast = { stored, holders: (known?.holders ?? 0) + 1, hasFailed: false };
    this.#broadcasts.set(hash, kept);
    // The stage that needs it says why.
    stored.catch(() => {
      kept.hasFailed = true;
    });
    return hash;
  }

  dropBroadcast(hash: string): void {
    const known = this.#broadcasts.get(hash);
    if (!known || --known.holders > 0) return;
    this.#broadcasts.delete(hash);
    if (!this.#snapshots.has(hash)) this.#backend.dropBlobs([hash]);
  }

  /** Resolves when all of them can be fetched. @throws what storing one of them threw; BLOCK_MISSING for a destroyed broadcast. */
  async ready(snapshots: ReadonlyMap<string, Uint8Array>, broadcasts: readonly string[]): Promise<void> {
    const waits = broadcasts.map((hash) => {
      const known = this.#broadcasts.get(hash);
      if (known) return known.stored;
      throw new MillraceError(
        'BLOCK_MISSING',
        `broadcast ${hash.slice(0, 12)} was destroyed and is still used`,
        {
          retryable: false,
          remedy: 'Destroy a broadcast when no lambda reads it any more.',
        },
      );
    });
    for (const [hash, content] of snapshots) {
      this.#used.add(hash);
      const stored = this.#snapshots.get(hash) ?? this.#putSnapshot(hash, content);
      this.#snapshots.set(hash, stored);
      waits.push(stored);
    }
    await Promise.all(waits);
  }

  /** Forgets the snapshots that the batch did not use. */
  endBatch(): void {
    const unused = [...this.#snapshots.keys()].filter((hash) => !this.#used.has(hash));
    for (const hash of unused) this.#snapshots.delete(hash);
    const droppable = unused.filter((hash) => !this.#broadcasts.has(hash));
    if (droppable.length > 0) this.#backend.dropBlobs(droppable);
    this.#used = new Set();
  }

  #putSnapshot(hash: string, content: Uint8Array): Promise<void> {
    const stored = this.#backend.putBlob(hash, content);
    // Whoever needs it awaits it; the next batch tries again.
    stored.catch(() => this.#snapshots.delete(hash));
    return stored;
  }
}
