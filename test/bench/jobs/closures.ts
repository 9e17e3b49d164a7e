// Lambdas of common shapes. Not a job: the closures benchmark bundles this file, and also loads it as it is.
const factor = 3;
const weights = new Map(Array.from({ length: 16 }, (_, i) => [i, i * 2]));
const weigh = (x: number): number => (weights.get(x & 15) ?? 0) * factor;

class Price {
  readonly cents: number;
  constructor(cents: number) {
    this.cents = cents;
  }
  plus(other: number): number {
    return this.cents + other;
  }
}

const isEven = (n: number): boolean => n === 0 || isOdd(n - 1);
const isOdd = (n: number): boolean => n !== 0 && isEven(n - 1);
const limits = { low: 3, high: 11, tags: ['a', 'b'] };

export type BenchLambda = (x: number) => number;

export const simple: BenchLambda = (x) => x * factor + 1;
export const helper: BenchLambda = (x) => weigh(x) + (x > limits.low ? 1 : 0);
export const classy: BenchLambda = (x) => new Price(x).plus(factor);
export const mutual: BenchLambda = (x) => (isEven(x & 7) ? 1 : 0);
/** One of many: what a batch with 10,000 lambdas would capture. */
export const make = (n: number): BenchLambda => {
  const options = { n, name: 'limit' };
  return (x) => x + options.n;
};
