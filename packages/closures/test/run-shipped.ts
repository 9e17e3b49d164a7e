import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { JobBundle } from '../src/index.ts';
import type { Bundler } from './bundler.ts';
import type { CaseOutcome } from './harness.ts';

const run = promisify(execFile);
const CHILD_DEADLINE_MS = 60_000;

export async function writeBundle(bundle: JobBundle, dir: string): Promise<void> {
  for (const { path, content } of bundle.files) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
}

/** A package for the fixtures: git ignores node_modules, so it is put there when the tests run. */
export async function installVendor(): Promise<void> {
  const from = join(import.meta.dirname, 'vendor');
  await cp(from, join(import.meta.dirname, 'cases', 'node_modules', 'vendor'), { recursive: true });
}

/** Bundles a fixture, evaluates it in one process, and runs what it ships in another. */
export async function runShipped(bundler: Bundler, fixture: string): Promise<CaseOutcome[]> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-closures-'));
  try {
    await installVendor();
    await writeBundle(await bundler.bundle(fixture), dir);
    await run(
      process.execPath,
      [
        '--conditions=@millrace/source',
        '--enable-source-maps',
        join(import.meta.dirname, 'host-process.ts'),
        dir,
      ],
      { timeout: CHILD_DEADLINE_MS },
    );
    return JSON.parse(await readFile(join(dir, 'outcomes.json'), 'utf8')) as CaseOutcome[];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
