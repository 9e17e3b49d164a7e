import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { DStream } from './dstream.ts';
import { RDD } from './rdd.ts';
import { StreamingContext } from './streaming-context.ts';
import { unordered } from './testing/datasets.ts';
import { referenceRunner } from './testing/reference-runner.ts';

const PAGE = readFileSync(fileURLToPath(new URL('../../../docs/operators.md', import.meta.url)), 'utf8');
const ROWS = PAGE.split('\n').filter((line) => line.startsWith('| `'));
const NAMED = new Set(
  ROWS.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)\(/g)].map(([, name = '']) => name)),
);
const EXAMPLES = [...PAGE.matchAll(/^(\S.*) \/\/ (→|in any order:) (.*)$/gm)].map(
  ([, call = '', order = '', result = '']) => ({ call, order, result }),
);
const SETUP = [...PAGE.matchAll(/^const .*;$/gm)].map(([line]) => line).join('\n');

/** What the line gives: the rows of an RDD, the entries of a Map, any other value. */
async function run(call: string): Promise<unknown> {
  const ssc = new StreamingContext({ name: 'page', batchIntervalMs: 100 });
  ssc.internals.attach(referenceRunner());
  // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
  const made: unknown = await (new Function('ssc', `${SETUP}\nreturn ${call};`)(ssc) as unknown);
  if (made instanceof RDD) return made.collect();
  return made instanceof Map ? [...made] : made;
}

function methods(type: { readonly prototype: object }): string[] {
  const names = new Set<string>();
  for (let at = type.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function') names.add(name);
  // What TypeScript protects.
  const inner = ['constructor', 'derived', 'element', 'operator', 'shipped', 'plan', 'results'];
  const innerOfStreams = ['checked', 'perBatch', 'planned'];
  return [...names].filter((name) => ![...inner, ...innerOfStreams].includes(name));
}

describe('docs/operators.md', () => {
  it('has a row for every operator and action, and for nothing else', () => {
    expect([...NAMED].toSorted()).toEqual([...new Set([...methods(RDD), ...methods(DStream)])].toSorted());
  });

  it('shows an example of every one that an RDD has', () => {
    const shown = EXAMPLES.map(({ call }) => call).join('\n');
    expect(methods(RDD).filter((name) => !shown.includes(`.${name}(`))).toEqual([]);
  });

  it.each(EXAMPLES)('$call gives $result', async ({ call, order, result }) => {
    // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
    const expected = new Function(`return [${result}];`)() as unknown[];
    const found = await run(call);
    const rows = Array.isArray(found) ? (found as unknown[]) : [found];
    if (order === '→') expect(rows).toEqual(expected);
    else expect(unordered(rows)).toEqual(unordered(expected));
  });
});
