import type { State } from '@millrace/api';

/** What is known of a visit while it lasts. */
export interface Visit {
  purchases: number;
  cents: number;
}

/** What a purchase says of its visit; the last word on a visit is said when nothing was bought for a while. */
export function countVisit(user: string, cents: number | undefined, state: State<Visit>): string | undefined {
  const visit = state.getOption() ?? { purchases: 0, cents: 0 };
  if (state.isTimingOut()) return `${user} left after ${visit.purchases} purchases of ${euros(visit.cents)}`;
  visit.purchases += 1;
  visit.cents += cents ?? 0;
  state.update(visit);
  return undefined;
}

export function euros(cents: number): string {
  return `${(cents / 100).toFixed(2)} EUR`;
}
