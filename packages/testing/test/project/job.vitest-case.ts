import { expect, it } from 'vitest';
import { problemsOf, runAll } from './cases.ts';

it('ships lambdas as a cluster does', { timeout: 30_000 }, async () => {
  expect(problemsOf(await runAll())).toEqual([]);
});
