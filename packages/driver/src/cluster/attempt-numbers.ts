// Far above the sets whose killed attempts may still end.
const ENDED_SETS_MAX = 10_000;

/**
 * Where attempts of a task set begin to count: at 0, or above all attempts of an earlier set of the same key that was cut short,
 * so that a late result of a killed attempt never fits a new one.
 */
export class AttemptNumbers {
  readonly #ends = new Map<string, number>();

  firstOf(setId: string): number {
    return this.#ends.get(setId) ?? 0;
  }

  remember(setId: string, end: number): void {
    this.#ends.delete(setId);
    if (this.#ends.size >= ENDED_SETS_MAX) {
      const [oldest] = this.#ends.keys();
      if (oldest !== undefined) this.#ends.delete(oldest);
    }
    this.#ends.set(setId, end);
  }
}
