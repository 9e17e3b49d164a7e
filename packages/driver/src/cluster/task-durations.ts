const KEYS_MAX = 100_000;
const WEIGHT = 0.3;

interface Known {
  ms: number;
  span: number;
}

/** How long tasks took in their slots when they ran last: what the same task of the next batch will take. */
export class TaskDurations {
  /** Least recently used first. */
  readonly #known = new Map<string, Known>();

  /** `key`: what makes tasks of two batches the same one. `span`: offsets in its range. */
  remember(key: string, span: number, ms: number): void {
    const known = this.#known.get(key);
    this.#known.delete(key);
    if (!known && this.#known.size >= KEYS_MAX) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.set(
      key,
      known
        ? { ms: known.ms + WEIGHT * (ms - known.ms), span: known.span + WEIGHT * (span - known.span) }
        : { ms, span },
    );
  }

  /** ms; longer in proportion when there is more to read than before. Infinity: nothing is known. */
  expected(key: string, span: number): number {
    const known = this.#known.get(key);
    if (!known) return Number.POSITIVE_INFINITY;
    return known.ms * Math.max(1, span / Math.max(1, known.span));
  }
}
