import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { DStream, MapWithStateDStream } from './dstream.ts';
import { DirectStream } from './kafka/direct-stream.ts';
import { KafkaNamespace } from './kafka/kafka-namespace.ts';
import { RDD } from './rdd.ts';
import { StateSpec } from './state/state-spec.ts';
import { StreamingContext } from './streaming-context.ts';
import { unordered } from './testing/datasets.ts';
import { EXAMPLES, PAGE, pageModule, runExample, SETUP } from './testing/operators-page.ts';
import { referenceRunner } from './testing/reference-runner.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const JOBS = new URL('../../../examples/', import.meta.url);
const ROWS = PAGE.split('\n').filter((line) => line.startsWith('| `'));
const NAMED = new Set(
  ROWS.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`[\w.]*?(\w+)\(/g)].map(([, name = '']) => name),
  ),
);
function methods(type: { readonly prototype: object }): string[] {
  const names = new Set<string>();
  for (let at = type.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (typeof value === 'function') names.add(name);
  // What TypeScript protects.
  const inner = ['constructor', 'derived', 'element', 'operator', 'shipped', 'plan', 'results'];
  const innerOfStreams = ['checked', 'perBatch', 'planned', 'statefulNode', 'withState'];
  return [...names].filter((name) => ![...inner, ...innerOfStreams].includes(name));
}

/** What has rows in and out: each is shown by a line of the page that runs. */
const OPERATORS = [RDD, DStream, MapWithStateDStream, StateSpec].flatMap(methods);
/** The others may be shown in examples/, which also run. */
const CONTEXT = [StreamingContext, KafkaNamespace, DirectStream]
  .flatMap(methods)
  .filter((name) => !OPERATORS.includes(name));

describe('docs/operators.md', () => {
  it('has a row for every operator, action and source, and for nothing else', () => {
    const all = new Set([...OPERATORS, ...CONTEXT, 'function', 'named']);
    expect([...NAMED].toSorted()).toEqual([...all].toSorted());
  });

  it('says meaning, cost and counterpart of each', () => {
    for (const row of ROWS) if (/^\| `[\w.]+\(/.test(row)) expect(row).toMatch(/^\|(?: [^|]*[^| ] \|){4}$/);
  });

  it('shows an example of every one', () => {
    const shown = EXAMPLES.map(({ call }) => call).join('\n') + SETUP;
    expect(OPERATORS.filter((name) => !shown.includes(`.${name}(`))).toEqual([]);
    const jobs = globSync('**/*.ts', { cwd: JOBS }).map((name) => readFileSync(new URL(name, JOBS), 'utf8'));
    expect(
      CONTEXT.filter((name) => !shown.includes(`.${name}(`) && !jobs.some((job) => job.includes(`.${name}`))),
    ).toEqual([]);
  });

  it('shows examples that TypeScript accepts', () => {
    const cache = join(ROOT, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    const directory = mkdtempSync(join(cache, 'operators-page-'));
    const own = { composite: false, declaration: false, declarationMap: false, sourceMap: false };
    const imports = { rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true };
    const config = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: { ...own, ...imports, noEmit: true, rootDir: ROOT },
      files: ['page.ts'],
    };
    try {
      writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify(config));
      writeFileSync(join(directory, 'page.ts'), pageModule('../../../packages/api/src/index.ts'));
      const check = () =>
        execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', directory], {
          encoding: 'utf8',
        });
      expect(check()).toBe('');
    } catch (error) {
      throw new Error(String((error as { readonly stdout?: unknown }).stdout ?? error), { cause: error });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }, 60_000);

  it.each(EXAMPLES)('$call gives $result', async ({ call, order, result }) => {
    // oxlint-disable-next-line typescript/no-implied-eval -- an example of our own page
    const expected = new Function(`return [${result}];`)() as unknown[];
    const found = await runExample(call, { runner: referenceRunner() });
    const rows = Array.isArray(found) ? (found as unknown[]) : [found];
    if (order === '→') expect(rows).toEqual(expected);
    else expect(unordered(rows)).toEqual(unordered(expected));
  });
});
