import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { armed, CRASH_POINT_VARIABLE, type CrashPoint } from './crash-point.ts';

const MODULE = fileURLToPath(new URL('./crash-point.ts', import.meta.url));
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-crash-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** After how many of these points it would die, each time. */
function deaths(value: string | undefined, points: readonly CrashPoint[]): readonly number[] {
  const found: number[] = [];
  let passed = 0;
  const point = armed(value, () => void found.push(passed));
  for (const name of points) {
    passed += 1;
    point(name);
  }
  return found;
}

it('does nothing without the variable', () => {
  expect(deaths(undefined, ['before-plan', 'after-plan'])).toEqual([]);
  expect(deaths('', ['before-plan', 'after-plan'])).toEqual([]);
});

it('dies at the n-th hit of the point that is named', () => {
  expect(deaths('after-plan', ['before-plan', 'after-plan', 'before-plan'])).toEqual([2]);
  expect(deaths('after-plan:2', ['after-plan', 'before-plan', 'after-plan', 'after-plan'])).toEqual([3]);
});

it('dies once by a file, of all that read it, and not before there is one', () => {
  const file = join(directory, 'armed');
  let died = '';
  const points = ['a', 'b'].map((name) =>
    armed(`@${file}`, () => {
      died += name;
    }),
  );
  const pass = (): void => {
    for (const point of points) point('after-commit');
  };
  pass();
  writeFileSync(file, 'after-commit:2\n');
  pass();
  expect(died).toBe('');
  pass();
  expect({ died, armed: existsSync(file) }).toEqual({ died: 'a', armed: false });
  writeFileSync(file, 'before-plan:1');
  pass();
  expect(died).toBe('a');
});

it('is a real SIGKILL of the process', () => {
  const run = (point: string) =>
    spawnSync(
      process.execPath,
      [
        '--conditions=@millrace/source',
        '--input-type=module',
        '-e',
        `import { crashPoint } from ${JSON.stringify(MODULE)}; crashPoint('after-plan'); process.stdout.write('alive');`,
      ],
      { env: { ...process.env, [CRASH_POINT_VARIABLE]: point }, timeout: 30_000 },
    );
  const died = run('after-plan');
  expect([died.signal, died.stdout.toString()]).toEqual(['SIGKILL', '']);
  expect(run('before-plan').stdout.toString()).toBe('alive');
});
