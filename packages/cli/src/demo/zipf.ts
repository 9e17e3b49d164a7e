import type { Random } from '@millrace/common';

/**
 * Ranks 0 … size−1, rank r with weight 1/(r+1)^exponent: few things are popular, most are not.
 * (Breslau et al., "Web caching and Zipf-like distributions", 1999: exponents of 0.64–0.83 for pages.)
 */
export class Zipf {
  readonly #cumulative: Float64Array;

  constructor(size: number, exponent: number) {
    this.#cumulative = new Float64Array(size);
    let total = 0;
    for (let rank = 0; rank < size; rank++) {
      total += 1 / (rank + 1) ** exponent;
      this.#cumulative[rank] = total;
    }
  }

  next(random: Random): number {
    const last = this.#cumulative.length - 1;
    const at = random.next() * (this.#cumulative[last] ?? 0);
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#cumulative[middle] ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
