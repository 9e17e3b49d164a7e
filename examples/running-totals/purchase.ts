/** One purchase, as the shop logs it (JSON). */
export interface Purchase {
  readonly user: string;
  readonly cents: number;
}
