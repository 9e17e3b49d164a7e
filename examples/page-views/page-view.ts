/** One page view, as the web site's front end logs it (JSON). */
export interface PageView {
  readonly user: string;
  readonly page: string;
  readonly referrer: string;
  readonly status: number;
  /** Until the page was sent. */
  readonly latencyMs: number;
}
