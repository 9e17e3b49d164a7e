import { expect, it } from '@jest/globals';
import { byViews, type PageViews, topPages } from './top-pages.ts';

it('ranks pages by views, then by name', () => {
  const pages: PageViews[] = [
    ['/b', 2],
    ['/c', 7],
    ['/a', 2],
  ];
  expect(pages.toSorted((a, b) => byViews(b, a))).toEqual([
    ['/c', 7],
    ['/a', 2],
    ['/b', 2],
  ]);
  expect(topPages(pages, 5_000)).toBe('00:00:05  1. /b 2  2. /c 7  3. /a 2');
  expect(topPages([], 0)).toBe('00:00:00');
});
