export interface BlobCacheOptions {
  readonly fetch: (hash: string) => Promise<Uint8Array>;
  /** What is kept; a blob that is larger is served and not kept. */
  readonly bytesMax: number;
}

/** Snapshots and broadcasts of this executor, by hash: fetched once, whoever asks for them, however many at once. */
export class BlobCache {
  readonly #options: BlobCacheOptions;
  /** Least recently used first. */
  readonly #held = new Map<string, Uint8Array>();
  readonly #underway = new Map<string, Promise<Uint8Array>>();
  #bytes = 0;

  constructor(options: BlobCacheOptions) {
    this.#options = options;
  }

  /** @throws what fetching throws; the next call tries again. */
  async get(hash: string): Promise<Uint8Array> {
    const held = this.#held.get(hash);
    if (held) {
      this.#held.delete(hash);
      this.#held.set(hash, held);
      return held;
    }
    const underway = this.#underway.get(hash);
    if (underway) return underway;
    const fetching = this.#fetch(hash).finally(() => this.#underway.delete(hash));
    this.#underway.set(hash, fetching);
    return fetching;
  }

  /** It was destroyed: whoever asks again hears so from the driver. */
  drop(hash: string): void {
    const held = this.#held.get(hash);
    if (!held) return;
    this.#held.delete(hash);
    this.#bytes -= held.length;
  }

  async #fetch(hash: string): Promise<Uint8Array> {
    const content = await this.#options.fetch(hash);
    if (content.length > this.#options.bytesMax) return content;
    this.#held.set(hash, content);
    this.#bytes += content.length;
    for (const [oldest, bytes] of this.#held) {
      if (this.#bytes <= this.#options.bytesMax) break;
      this.#held.delete(oldest);
      this.#bytes -= bytes.length;
    }
    return content;
  }
}
