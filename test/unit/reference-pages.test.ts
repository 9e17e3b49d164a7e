import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { referencePages } from '../../tools/reference-pages.ts';

it.each(referencePages().map(({ path, text }) => [path, text]))('%s is what the code says', (path, text) => {
  // Run `pnpm docs:generate` when this fails.
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(text);
});
