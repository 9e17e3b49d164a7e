import { deserialize } from 'node:v8';
import { MillraceError } from '@millrace/common';

export interface SnapshotSourceOptions {
  /** Asks the supervisor. */
  readonly fetch: (hash: string) => Promise<Uint8Array>;
  readonly bytesMax: number;
}

interface Held {
  readonly bytes: number;
  readonly value: Promise<unknown>;
}

/** Large snapshots and the values of broadcasts, by hash: what was used last is kept within bounds. */
export class SnapshotSource {
  readonly #options: SnapshotSourceOptions;
  /** Least recently used first. */
  readonly #broadcasts = new Map<string, Held>();
  #bytes = 0;

  constructor(options: SnapshotSourceOptions) {
    this.#options = options;
  }

  /** Bytes of a snapshot that was too large for the stage. */
  snapshot(hash: string): Promise<Uint8Array> {
    return this.#options.fetch(hash);
  }

  /** The value of a broadcast, decoded once and shared by the tasks of this slot. @throws BLOCK_MISSING. */
  async broadcast(hash: string): Promise<unknown> {
    const held = this.#broadcasts.get(hash);
    if (held) {
      this.#broadcasts.delete(hash);
      this.#broadcasts.set(hash, held);
      return held.value;
    }
    const content = await this.#options.fetch(hash);
    let value: unknown;
    try {
      value = deserialize(content);
    } catch (error) {
      throw new MillraceError('INTERNAL', `broadcast ${hash.slice(0, 12)} does not decode`, { cause: error });
    }
    this.#broadcasts.set(hash, { bytes: content.length, value: Promise.resolve(value) });
    this.#bytes += content.length;
    this.#evict(hash);
    return value;
  }

  /** It was destroyed: whoever asks again asks the supervisor. */
  drop(hash: string): void {
    const held = this.#broadcasts.get(hash);
    if (!held) return;
    this.#broadcasts.delete(hash);
    this.#bytes -= held.bytes;
  }

  #evict(newest: string): void {
    for (const [hash, { bytes }] of this.#broadcasts) {
      if (this.#bytes <= this.#options.bytesMax) return;
      // One that is larger than the bound is used all the same: it is the task that needs it.
      if (hash === newest) continue;
      this.#broadcasts.delete(hash);
      this.#bytes -= bytes;
    }
  }
}
