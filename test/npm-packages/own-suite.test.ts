// zod brings its tests along: they pass for its sources as user code, in vitest with the plugin, as they do untouched.
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** All 2,095 tests, twice; else what is heavy in classes, laziness and getters. */
const IS_LONG = (process.env['MILLRACE_LONG_TESTS'] ?? '') !== '';
const TESTS = IS_LONG
  ? ['src/v4/**/*.test.ts']
  : ['recursive-types', 'lazy', 'codec', 'prototypes', 'object', 'template-literal', 'registries'].map(
      (name) => `src/v4/classic/tests/${name}.test.ts`,
    );
const TESTS_MIN = IS_LONG ? 2_000 : 150;
/** Twice, on a slow machine. */
const TIMEOUT_MS = IS_LONG ? 1_800_000 : 300_000;

let dir: string;

beforeAll(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-zod-')));
  cpSync(join(realpathSync(join(ROOT, 'node_modules/zod')), 'src'), join(dir, 'src'), { recursive: true });
  writeFileSync(join(dir, 'package.json'), '{ "name": "zod-as-user-code", "type": "module" }');
  mkdirSync(join(dir, 'node_modules'));
  for (const name of ['vitest', 'vite'])
    symlinkSync(join(ROOT, 'node_modules', name), join(dir, 'node_modules', name));
  for (const name of ['plain', 'transformed']) writeFileSync(join(dir, `${name}.config.mjs`), configOf(name));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function configOf(name: string): string {
  const plugin = new URL('../../packages/testing/src/vite.ts', import.meta.url).href;
  const conditions = ['@millrace/source', 'module', 'node', 'default'];
  return `import { millrace } from ${JSON.stringify(plugin)};
const alias = [{ find: /^zod$/, replacement: '${dir}/src/index.ts' }, { find: /^zod\\/(.*)$/, replacement: '${dir}/src/$1' }];
export default {
  plugins: ${name === 'plain' ? '[]' : '[millrace()]'},
  resolve: { alias },
  ssr: { resolve: { conditions: ${JSON.stringify(conditions)}, externalConditions: ['@millrace/source'] } },
  test: { watch: false, maxWorkers: 1, isolate: ${IS_LONG}, include: ${JSON.stringify(TESTS)}, reporters: [['json', { outputFile: '${name}.json' }]] },
};
`;
}

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

async function statuses(name: string): Promise<string[]> {
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, ...env } = process.env;
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  const options = {
    cwd: dir,
    env: { ...env, NODE_OPTIONS: '--conditions=@millrace/source' },
    timeout: TIMEOUT_MS,
  };
  const output = await new Promise<string>((done) => {
    execFile(
      process.execPath,
      [vitest, 'run', '--config', `${name}.config.mjs`],
      options,
      (_error, stdout, stderr) => done(stdout + stderr),
    );
  });
  try {
    const report = JSON.parse(readFileSync(join(dir, `${name}.json`), 'utf8')) as Report;
    const lines = report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status }) => `${fullName}: ${status}`),
    );
    // Files come in the order of their ends.
    return lines.toSorted();
  } catch (cause) {
    throw new Error(`vitest made no report:\n${output}`, { cause });
  }
}

it(
  'zod passes its own tests as user code',
  async () => {
    const transformed = await statuses('transformed');
    const passed = transformed.filter((line) => line.endsWith(': passed'));
    expect(passed.length).toBeGreaterThan(TESTS_MIN);
    expect(transformed).toEqual(IS_LONG ? await statuses('plain') : passed);
  },
  TIMEOUT_MS,
);
