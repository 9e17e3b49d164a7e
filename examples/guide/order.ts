/** One order of a shop, as its records hold it (JSON). */
export interface Order {
  readonly id: number;
  readonly user: string;
  readonly country: string;
  readonly cents: number;
}
