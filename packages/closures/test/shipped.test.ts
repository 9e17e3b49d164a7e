import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Bundler } from './bundler.ts';
import { runShipped } from './run-shipped.ts';

let bundler: Bundler;

beforeAll(() => {
  bundler = new Bundler();
});
afterAll(() => bundler.close());

/** Each fixture runs on a host process; what it ships runs in a slot process. */
describe.each(['values', 'functions', 'classes', 'refusals'])('lambdas that ship: %s', (fixture) => {
  it('behave there as here, or are refused with their reason', async () => {
    const outcomes = await runShipped(bundler, join(import.meta.dirname, 'cases', `${fixture}.mts`));
    expect(outcomes.length).toBeGreaterThan(15);
    const actual = Object.fromEntries(outcomes.map((outcome) => [outcome.name, outcome.actual]));
    const expected = Object.fromEntries(outcomes.map((outcome) => [outcome.name, outcome.expected]));
    expect(actual).toEqual(expected);
  }, 60_000);
});
