// One per-file transform: a program of its own, real jest and real vitest, over one tiny project.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const PROJECT = join(import.meta.dirname, 'project');
const TIMEOUT_MS = 60_000;
const resolve = createRequire(import.meta.url).resolve;
const source = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Run {
  readonly code: unknown;
  readonly output: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const { NODE_OPTIONS: _, JEST_WORKER_ID: __, VITEST: ___, ...inherited } = process.env;
  const options = { cwd: PROJECT, timeout: TIMEOUT_MS, env: { ...inherited, NO_COLOR: '1', ...env } };
  return new Promise((done) => {
    execFile(process.execPath, ['--conditions=@millrace/source', ...args], options, (error, stdout, stderr) =>
      done({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

describe('the transform of one file', () => {
  it(
    'serves a program that is run with --import @millrace/local/register',
    async () => {
      const { code, output } = await run(['--import', source('local/src/register.ts'), 'main.ts']);
      expect([code, output.trim()]).toEqual([0, '[]']);
    },
    TIMEOUT_MS,
  );

  it(
    'is what makes the difference: without it lambdas share the variables of the program',
    async () => {
      const { output } = await run(['main.ts']);
      // The jobs print, too.
      expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^rows: /),
          expect.stringMatching(/^the refusal: .*accepted/),
        ]),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'serves jest',
    async () => {
      const jest = join(dirname(resolve('jest/package.json')), 'bin/jest.js');
      const { code, output } = await run(
        ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, '-i', '--no-cache'],
        { MILLRACE_JEST_TRANSFORM: source('testing/src/jest-transform.ts') },
      );
      expect([code, output]).toEqual([0, expect.stringContaining('1 passed')]);
    },
    TIMEOUT_MS,
  );

  it(
    'serves vitest',
    async () => {
      const vitest = join(dirname(resolve('vitest/package.json')), 'vitest.mjs');
      const { code, output } = await run([vitest, 'run'], { NODE_OPTIONS: '--conditions=@millrace/source' });
      expect([code, output]).toEqual([0, expect.stringContaining('1 passed')]);
    },
    TIMEOUT_MS,
  );
});
