export type PageViews = readonly [page: string, views: number];

/** More views are greater; of pages with as many, the one that comes first in the alphabet. Runs on executors and on the driver. */
export function byViews([pageA, viewsA]: PageViews, [pageB, viewsB]: PageViews): number {
  if (viewsA !== viewsB) return viewsA - viewsB;
  return pageA < pageB ? 1 : pageA > pageB ? -1 : 0;
}

/** One line: "12:00:05  1. /home 41  2. /cart 7". */
export function topPages(pages: readonly PageViews[], time: number): string {
  const clock = new Date(time).toISOString().slice(11, 19);
  return [clock, ...pages.map(([page, views], index) => `${index + 1}. ${page} ${views}`)].join('  ');
}
