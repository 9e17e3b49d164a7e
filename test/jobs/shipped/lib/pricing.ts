export abstract class Price {
  static readonly currency: string = 'EUR';
  static made = 0;
  readonly #cents: number;

  constructor(cents: number) {
    this.#cents = cents;
    Price.made += 1;
  }

  get euros(): number {
    return this.#cents / 100;
  }

  abstract label(): string;
}

export class Discounted extends Price {
  override label(): string {
    return `${this.euros.toFixed(2)} ${Discounted.currency}`;
  }
}

/** A rule with state in fields, a method that uses them, and a getter. */
export class Tariff {
  readonly #steps: readonly number[];
  private factor: number;

  constructor(steps: readonly number[], factor: number) {
    this.#steps = steps;
    this.factor = factor;
  }

  get highest(): number {
    return Math.max(...this.#steps);
  }

  /** A lambda that reads `this.factor` only. */
  scale(): (n: number) => number {
    return (n) => n * this.factor;
  }
}
