import { evictableDataset } from './block-name.ts';

/** Persisted datasets that may be given up for others, as far as this executor holds them: what they take, and which was used last. */
export class CachedDatasets {
  /** Bytes by dataset, the least recently used first. */
  readonly #datasets = new Map<string, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** As they are now: they may be dropped on the way. */
  leastRecentlyUsed(): readonly string[] {
    return [...this.#datasets.keys()];
  }

  add(file: string, bytes: number): void {
    this.#update(file, bytes);
  }

  use(file: string): void {
    this.#update(file, 0);
  }

  remove(file: string, bytes: number): void {
    const dataset = evictableDataset(file);
    if (dataset === undefined) return;
    const left = (this.#datasets.get(dataset) ?? 0) - bytes;
    this.#bytes -= bytes;
    if (left > 0) this.#datasets.set(dataset, left);
    else this.#datasets.delete(dataset);
  }

  #update(file: string, bytes: number): void {
    const dataset = evictableDataset(file);
    if (dataset === undefined) return;
    const known = this.#datasets.get(dataset) ?? 0;
    this.#datasets.delete(dataset);
    this.#datasets.set(dataset, known + bytes);
    this.#bytes += bytes;
  }
}
