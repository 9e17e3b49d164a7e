import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClosureCluster } from './closure-cluster.ts';

const TIMEOUT_MS = 120_000;

/** Each job has its cases; on each side at least so many, so that none is lost unseen. */
const JOBS = [
  ['values', 23],
  ['functions', 34],
  ['scopes', 27],
  ['classes', 30],
  ['syntax', 34],
  ['modules', 19],
  ['batches', 2],
  ['refused', 46],
  ['adversary-values', 27],
  ['adversary-scopes', 31],
  ['adversary-classes', 25],
  ['adversary-modules', 11],
  ['adversary-more', 26],
  ['adversary-depth', 20],
  ['adversary-syntax', 7],
  ['adversary-refused', 46],
] as const;

let cluster: ClosureCluster;

beforeAll(async () => {
  cluster = await ClosureCluster.start();
}, TIMEOUT_MS);

afterAll(() => cluster?.close(), TIMEOUT_MS);

describe.each(JOBS)('lambdas on a real executor: %s', (job, casesMin) => {
  it(
    'give there what they give here, or are refused with their reason',
    async () => {
      const reports = await cluster.run(`${job}.mts`);
      expect(reports.length).toBeGreaterThanOrEqual(casesMin);
      expect(reports.filter(({ actual, expected }) => actual !== expected)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe('jobs in a directory of their own', () => {
  const lib = fileURLToPath(new URL('../jobs/closures/lib/closure-job.ts', import.meta.url));
  const tick = {
    'package.json': '{"type":"module"}',
    'node_modules/tick/package.json':
      '{"name":"tick","version":"1.0.0","type":"module","exports":"./tick.js"}',
    'node_modules/tick/tick.js': 'globalThis.ticks = [...(globalThis.ticks ?? []), "package"];',
    'own.mts': 'globalThis.ticks = [...(globalThis.ticks ?? []), "own"];',
    'job.mts': `import 'tick';
import './own.mts';
import { closureJob, gives } from ${JSON.stringify(lib)};
const here = globalThis.ticks;
export default closureJob('closures-side-effects', {
  'of packages there, of own modules only here': gives(() => [globalThis.ticks, here], [['package'], ['package', 'own']]),
});
`,
  };
  // Written here: formatters change byte order marks and line ends.
  const windows = {
    'package.json': '{"type":"module"}',
    'job.mts': `\ufeffimport { closureJob, gives } from ${JSON.stringify(lib)};\r
const text = \`a\r\nb\`;\r
export default closureJob('closures-windows', {\r
  'a byte order mark and its line ends': gives((x: number) => {\r
    const own = \`c\r\nd\`;\r
    return [text, own.length];\r
  }, ['a\\nb', 3]),\r
});\r
`,
  };

  it.each([
    ['load packages for their side effects on executors, and own modules not', tick],
    ['may be written on Windows', windows],
  ])(
    '%s',
    async (_, files) => {
      const directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-own-')));
      try {
        for (const [name, text] of Object.entries(files)) {
          mkdirSync(dirname(join(directory, name)), { recursive: true });
          writeFileSync(join(directory, name), text);
        }
        const [report] = await cluster.run(join(directory, 'job.mts'));
        expect(report?.actual).toBeDefined();
        expect(report?.actual).toBe(report?.expected);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
