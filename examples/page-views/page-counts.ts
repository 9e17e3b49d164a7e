import type { PageView } from './page-view.ts';

/** What one batch adds up to. Plain data: partial sums travel from the executors to the driver. */
export interface PageCounts {
  readonly pages: Map<string, PageTotal>;
  readonly users: Map<string, number>;
}

export interface PageTotal {
  views: number;
  errors: number;
  latencyMs: number;
}

export function noCounts(): PageCounts {
  return { pages: new Map(), users: new Map() };
}

/** Adds one view. Runs on executors, once a record. */
export function countView(counts: PageCounts, view: PageView): PageCounts {
  const total = counts.pages.get(view.page) ?? { views: 0, errors: 0, latencyMs: 0 };
  total.views += 1;
  total.errors += view.status >= 500 ? 1 : 0;
  total.latencyMs += view.latencyMs;
  counts.pages.set(view.page, total);
  counts.users.set(view.user, (counts.users.get(view.user) ?? 0) + 1);
  return counts;
}

/** Adds the counts of another partition. Runs on the driver, once a partition. */
export function mergeCounts(into: PageCounts, other: PageCounts): PageCounts {
  for (const [page, add] of other.pages) {
    const total = into.pages.get(page) ?? { views: 0, errors: 0, latencyMs: 0 };
    total.views += add.views;
    total.errors += add.errors;
    total.latencyMs += add.latencyMs;
    into.pages.set(page, total);
  }
  for (const [user, views] of other.users) into.users.set(user, (into.users.get(user) ?? 0) + views);
  return into;
}
