import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  bundleJob,
  captureClosure,
  loadManifest,
  millraceResolveHook,
  openProgram,
} from '@millrace/closures';
import { type BenchResult, median, NOTHING, rounded } from './bench-result.ts';
import type { BenchSettings } from './benchmark.ts';
import type { BenchLambda } from './jobs/closures.ts';
import { classy, helper, mutual, simple } from './jobs/closures.ts';

const LAMBDAS = ['simple', 'helper', 'classy', 'mutual'] as const;
type LambdaName = (typeof LAMBDAS)[number];
/** The same functions as Node runs them: the job's own module, not the shipped bundle. */
const UNTRANSFORMED: Readonly<Record<LambdaName, BenchLambda>> = { simple, helper, classy, mutual };
type Lambdas = Readonly<Record<LambdaName, BenchLambda>> & { readonly make: (n: number) => BenchLambda };
const CONTEXT = {
  broadcast: () => ({ value: undefined }),
  accumulator: () => ({ add: () => undefined }),
};
/** Without the condition that this process has from its command line or its environment. */
const BARE_ENVIRONMENT = { ...process.env, NODE_OPTIONS: '' };
const JOBS = join(import.meta.dirname, 'jobs');
const REPEATS = 2000;
const CALLS = 4_000_000;
const MANY = 10_000;

/** Capture, revival, wire size, calls and bundling of lambdas. Needs no Kafka. */
export async function closures({ runs, say }: BenchSettings): Promise<BenchResult> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-bench-closures-')));
  try {
    const { lambdas, revive } = await load(directory);
    const figures: Record<string, number> = {};
    for (const name of LAMBDAS) {
      const { captureUs, reviveUs, bytes } = await costs(lambdas[name], revive, runs);
      const revived = await revive(captureClosure(lambdas[name]).bytes);
      const { native, shipped } = callTimes(UNTRANSFORMED[name], revived, runs);
      say(
        `${name}: capture ${captureUs} µs, revive ${reviveUs} µs, ${bytes} B, call ${native} → ${shipped} ns`,
      );
      Object.assign(figures, {
        [`${name}CaptureUs`]: captureUs,
        [`${name}ReviveUs`]: reviveUs,
        [`${name}Bytes`]: bytes,
        [`${name}CallRatio`]: rounded(shipped / native, 3),
      });
    }
    const many = Array.from({ length: MANY }, (_, n) => lambdas.make(n));
    const manyMs = medianOf(runs, () => {
      for (const lambda of many) captureClosure(lambda);
    });
    buildPackages();
    const small = bundleMs(join(JOBS, 'tiny.ts'), runs);
    const npm = npmJob(directory);
    const npmMs = bundleMs(npm.entry, runs);
    return {
      ...NOTHING,
      bench: 'closures',
      settings: {
        ...figures,
        capture10kMs: rounded(manyMs),
        bundleSmallMs: rounded(small),
        bundleNpmMs: rounded(npmMs),
        npmBytes: await npmBytes(npm.entry),
        runs,
      },
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function load(
  directory: string,
): Promise<{ lambdas: Lambdas; revive: (bytes: Uint8Array) => Promise<BenchLambda> }> {
  millraceResolveHook();
  const { files, manifest } = await bundleJob(join(JOBS, 'closures.ts'));
  for (const { path, content } of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  loadManifest(manifest);
  const lambdas = (await import(pathToFileURL(join(directory, 'driver.mjs')).href)) as Lambdas;
  const program = await openProgram(directory);
  return {
    lambdas,
    revive: async (bytes) => (await program.revive(bytes, CONTEXT)) as unknown as BenchLambda,
  };
}

async function costs(
  lambda: BenchLambda,
  revive: (bytes: Uint8Array) => Promise<unknown>,
  runs: number,
): Promise<{ captureUs: number; reviveUs: number; bytes: number }> {
  const { bytes } = captureClosure(lambda);
  const revivals: number[] = [];
  const captureMs = medianOf(runs, () => {
    for (let i = 0; i < REPEATS; i++) captureClosure(lambda);
  });
  for (let run = 0; run <= runs; run++) {
    const started = performance.now();
    for (let i = 0; i < REPEATS; i++) await revive(bytes);
    if (run > 0) revivals.push(performance.now() - started);
  }
  const us = (ms: number): number => rounded((ms * 1000) / REPEATS);
  return { captureUs: us(captureMs), reviveUs: us(median(revivals)), bytes: bytes.byteLength };
}

/** Each function gets a loop of its own, so that V8 inlines both alike; they take turns. */
function callTimes(
  native: BenchLambda,
  shipped: BenchLambda,
  runs: number,
): { native: number; shipped: number } {
  const loops = [native, shipped].map((f) => {
    // oxlint-disable-next-line no-implied-eval -- a function of its own for each, see above
    const loop = new Function('f', 'n', 'let s = 0; for (let i = 0; i < n; i++) s += f(i); return s;');
    return { f, loop: loop as (f: BenchLambda, n: number) => number, times: [] as number[] };
  });
  for (let run = 0; run < runs * 3 + 1; run++) {
    for (const { f, loop, times } of loops) {
      const started = performance.now();
      loop(f, CALLS);
      if (run > 0) times.push(((performance.now() - started) * 1e6) / CALLS);
    }
  }
  const [here = Number.NaN, there = Number.NaN] = loops.map(({ times }) => rounded(Math.min(...times), 3));
  return { native: here, shipped: there };
}

function medianOf(runs: number, work: () => void): number {
  const times: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const started = performance.now();
    work();
    if (run > 0) times.push(performance.now() - started);
  }
  return median(times);
}

function buildPackages(): void {
  const root = join(import.meta.dirname, '../..');
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-b', 'packages/closures'], {
    cwd: root,
    stdio: 'inherit',
  });
}

/** In a process of its own, beyond what an empty one takes. With the built packages, as they are installed. */
function bundleMs(entry: string, runs: number): number {
  const once = (args: readonly string[]): number => {
    const script = join(import.meta.dirname, 'bundle-once.ts');
    return Number(execFileSync(process.execPath, [script, ...args], { env: BARE_ENVIRONMENT }));
  };
  const times: number[] = [];
  for (let run = 0; run <= runs + 2; run++) {
    const took = once([entry]) - once([]);
    if (run > 0) times.push(took);
  }
  // What else the machine did makes it longer, never shorter.
  return Math.min(...times);
}

/** A job with about 1 MB of packages: those that this repository has. */
function npmJob(directory: string): { readonly entry: string } {
  const root = join(directory, 'npm');
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  const link = (name: string, from: string): void => {
    const manifest = findPackage(name, from);
    symlinkSync(dirname(manifest), join(root, 'node_modules', name));
  };
  link('acorn', '@millrace/closures');
  link('kafkajs', '@millrace/kafka');
  link('fast-check', '');
  const entry = join(root, 'job.ts');
  writeFileSync(
    entry,
    `import * as acorn from 'acorn';
import * as kafkajs from 'kafkajs';
import * as fc from 'fast-check';
export const parse = (text: string) => acorn.parse(text, { ecmaVersion: 2025 }).body.length;
export const names = () => [Object.keys(kafkajs), Object.keys(fc)];
`,
  );
  return { entry };
}

/** The package.json of what `from` (a workspace package; '' for the root) depends on. */
function findPackage(name: string, from: string): string {
  const root = createRequire(import.meta.url);
  const require = from === '' ? root : createRequire(root.resolve(`${from}/package.json`));
  for (let at = dirname(require.resolve(name)); ; at = dirname(at)) {
    try {
      const path = join(at, 'package.json');
      if ((require(path) as { name?: string }).name === name) return realpathSync(path);
    } catch {
      if (dirname(at) === at) throw new Error(`${name} is not installed`);
    }
  }
}

async function npmBytes(entry: string): Promise<number> {
  const { files } = await bundleJob(entry);
  return files.find(({ path }) => path === 'driver.mjs')?.content.byteLength ?? 0;
}
