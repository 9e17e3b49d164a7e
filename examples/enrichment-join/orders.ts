import type { Customer } from './customers.ts';

/** One order, as the shop logs it (JSON). */
export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly cents: number;
}

export interface EnrichedOrder extends Order {
  /** null: a customer that the table does not have. */
  readonly name: string | null;
  readonly country: string | null;
}

/** Nobody's order is left out: those of unknown customers say so. */
export function enriched(order: Order, customer: Customer | undefined): EnrichedOrder {
  return { ...order, name: customer?.name ?? null, country: customer?.country ?? null };
}
