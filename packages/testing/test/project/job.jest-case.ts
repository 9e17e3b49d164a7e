import { expect, it } from '@jest/globals';
import { problemsOf, runAll } from './cases.ts';

it('ships lambdas as a cluster does', async () => {
  expect(problemsOf(await runAll())).toEqual([]);
});
