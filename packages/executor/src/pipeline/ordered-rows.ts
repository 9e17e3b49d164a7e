import { rowOrder } from '@millrace/api/internal';

/** The first `n` rows by an order, kept sorted: what takeOrdered and top need of a partition. Ties keep arrival order. */
export class OrderedRows {
  readonly rows: unknown[] = [];
  readonly #n: number;
  readonly #order: (a: unknown, b: unknown) => number;

  /** `direction` −1 keeps the greatest. Without `compare`: natural order. */
  constructor(n: number, direction: number, compare: ((a: unknown, b: unknown) => number) | undefined) {
    this.#n = n;
    this.#order = rowOrder(direction, compare);
  }

  add(row: unknown): void {
    const { rows } = this;
    if (rows.length >= this.#n) {
      if (this.#n === 0 || this.#order(row, rows[rows.length - 1]) >= 0) return;
      rows.pop();
    }
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#order(row, rows[middle]) < 0) high = middle;
      else low = middle + 1;
    }
    rows.splice(low, 0, row);
  }
}
