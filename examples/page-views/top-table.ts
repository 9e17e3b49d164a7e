import type { PageCounts } from './page-counts.ts';

const ROWS = 5;

/** The most viewed pages and the busiest users of a batch, side by side. */
export function topTable(counts: PageCounts, time: number): string {
  const pages = [...counts.pages].toSorted(([, a], [, b]) => b.views - a.views).slice(0, ROWS);
  const users = [...counts.users].toSorted(([, a], [, b]) => b - a).slice(0, ROWS);
  const views = [...counts.pages.values()].reduce((sum, total) => sum + total.views, 0);
  const clock = new Date(time).toISOString().slice(11, 19);
  const lines = [
    `┌ ${clock}  ${views} views of ${counts.pages.size} pages by ${counts.users.size} users`,
    `│ ${'page'.padEnd(14)}${'views'.padStart(6)}${'errors'.padStart(8)}${'latency'.padStart(9)}    ${'user'.padEnd(12)}${'views'.padStart(6)}`,
  ];
  for (let row = 0; row < Math.max(pages.length, users.length); row++) {
    const [page, total] = pages[row] ?? [];
    const [user, count] = users[row] ?? [];
    const latency = total === undefined ? '' : `${Math.round(total.latencyMs / total.views)} ms`;
    const left = `${(page ?? '').padEnd(14)}${cell(total?.views, 6)}${cell(total?.errors, 8)}${latency.padStart(9)}`;
    lines.push(`│ ${left}    ${(user ?? '').padEnd(12)}${cell(count, 6)}`);
  }
  return [...lines, '└'].join('\n');
}

function cell(value: number | undefined, width: number): string {
  return String(value ?? '').padStart(width);
}
