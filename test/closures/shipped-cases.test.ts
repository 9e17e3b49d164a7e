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

describe('packages that a job imports for their side effects', () => {
  const lib = fileURLToPath(new URL('../jobs/closures/lib/closure-job.ts', import.meta.url));
  const files = {
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

  it(
    'are loaded on executors, and the own ones are not',
    async () => {
      const directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-side-effects-')));
      try {
        for (const [name, text] of Object.entries(files)) {
          mkdirSync(dirname(join(directory, name)), { recursive: true });
          writeFileSync(join(directory, name), text);
        }
        const [report] = await cluster.run(join(directory, 'job.mts'));
        expect(report?.actual).toBe(report?.expected);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
