import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Bundler } from '../../packages/closures/test/bundler.ts';
import { type CapturedProgram, UNAVAILABLE } from './random-outcome.ts';

const run = promisify(execFile);
const DEADLINE_MS = 600_000;

/** A static of a class whose function writes to a variable, or came too early: found when it is used. */
const UNSHIPPED = new RegExp(
  `${UNAVAILABLE} .*(?:assigns to|private copy|before initialization)|\\[Function: unavailable\\]`,
);

export interface ProgramDifference {
  readonly index: number;
  readonly source: string;
  readonly here: string;
  readonly there: string;
}

export interface Comparison {
  readonly compared: number;
  /** How many were not compared, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly differences: readonly ProgramDifference[];
}

/** Bundles the modules as one job, captures each in one process and revives it in another, and compares what they give. */
export async function comparePrograms(bundler: Bundler, sources: readonly string[]): Promise<Comparison> {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-random-'));
  try {
    const files = new Map(sources.map((source, index) => [`p${index}.mjs`, source]));
    files.set('package.json', '{"type":"module"}');
    files.set('entry.mjs', entrySource(sources.length));
    for (const [name, text] of files) await writeFile(join(dir, name), text);
    const out = join(dir, 'bundle');
    for (const { path, content } of (await bundler.bundle(join(dir, 'entry.mjs'))).files) {
      await mkdir(dirname(join(out, path)), { recursive: true });
      await writeFile(join(out, path), content);
    }
    for (const side of ['random-host.ts', 'random-slot.ts'])
      await run(process.execPath, ['--conditions=@millrace/source', join(import.meta.dirname, side), out], {
        timeout: DEADLINE_MS,
      });
    const captured = JSON.parse(await readFile(join(out, 'captured.json'), 'utf8')) as CapturedProgram[];
    const there = JSON.parse(await readFile(join(out, 'there.json'), 'utf8')) as (string | null)[];
    const found = comparison(sources, captured, there);
    return { ...found, ...(await bySpecification(dir, found)) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function entrySource(count: number): string {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const imports = numbers.map((n) => `import { build as b${n} } from './p${n}.mjs';`);
  return `${imports.join('\n')}\nexport default [${numbers.map((n) => `b${n}`).join(', ')}];\n`;
}

/**
 * The bundler may drop an unused call that throws, on the driver only: its tag keeps the variable for the executor. Then what the
 * executor does is what the program says, and no difference.
 */
async function bySpecification(
  dir: string,
  { compared, differences, skipped }: Comparison,
): Promise<Partial<Comparison>> {
  if (differences.length === 0) return {};
  const indices = differences.map(({ index }) => String(index));
  const script = join(import.meta.dirname, 'random-native.ts');
  const { stdout } = await run(process.execPath, [script, dir, ...indices], { timeout: DEADLINE_MS });
  const native = JSON.parse(stdout) as string[];
  const real = differences.filter(({ there }, at) => withoutNames(native[at] ?? '') !== withoutNames(there));
  const dropped = differences.length - real.length;
  return {
    compared: compared - dropped,
    differences: real,
    skipped: dropped === 0 ? skipped : { ...skipped, 'a dropped call that throws': dropped },
  };
}

/** The bundler drops `const unused = typeof later; let later`, and with it the error; on the driver its tag keeps `unused`. */
const EARLY = 'threw ReferenceError';

/** The bundler folds `(() => 1) || x` into the arrow, which then gets a name that it has not by the standard. */
function withoutNames(outcome: string): string {
  return outcome.replace(/\[Function(?:: [^\]]*| \(anonymous\))\]/g, '[Function]');
}

function comparison(
  sources: readonly string[],
  captured: readonly CapturedProgram[],
  there: readonly (string | null)[],
): Comparison {
  const skipped: Record<string, number> = {};
  const skip = (reason: string): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  const differences: ProgramDifference[] = [];
  let compared = 0;
  for (const [index, one] of captured.entries()) {
    const source = sources[index] ?? '';
    const elsewhere = there[index] ?? 'nothing';
    if ('skipped' in one) skip(one.skipped);
    else if ('failed' in one) differences.push({ index, source, here: one.failed, there: 'not captured' });
    else if (UNSHIPPED.test(elsewhere)) skip('used what cannot ship');
    else if (one.here.includes(EARLY) && !elsewhere.includes(EARLY)) skip('an unused read that is too early');
    else {
      compared++;
      if (withoutNames(one.here) !== withoutNames(elsewhere))
        differences.push({ index, source, here: one.here, there: elsewhere });
    }
  }
  return { compared, skipped, differences };
}
