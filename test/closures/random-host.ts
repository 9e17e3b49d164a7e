/** The driver's side: evaluates the driver bundle in argv[2], builds and captures each program, and runs it here. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { captureClosure, type JobManifest, loadManifest, millraceResolveHook } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import { type CapturedProgram, outcomeOf, refuel } from './random-outcome.ts';

type Build = () => (...args: never[]) => unknown;

/** A program may write to what it captures, or be captured before a variable is there: that must be said. */
const EXPECTED = new Set(['CLOSURE_WRITES_CAPTURE', 'CLOSURE_USE_BEFORE_INIT']);

function captureProgram(build: Build): CapturedProgram {
  let lambda: ReturnType<Build>;
  refuel();
  try {
    lambda = build();
  } catch (error) {
    return { skipped: `build threw ${(error as Error).name}` };
  }
  try {
    refuel();
    const bytes = Buffer.from(captureClosure(lambda).bytes).toString('base64');
    return { bytes, here: outcomeOf(lambda) };
  } catch (error) {
    const codes = MillraceError.is(error)
      ? error.problems.length > 0
        ? error.problems.map((problem) => problem.code)
        : [error.code]
      : [String(error)];
    return codes.every((code) => EXPECTED.has(code))
      ? { skipped: String(codes[0]) }
      : { failed: String(error) };
  }
}

const dir = process.argv[2] ?? '';
millraceResolveHook();
loadManifest(JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as JobManifest);
const { default: programs } = (await import(pathToFileURL(join(dir, 'driver.mjs')).href)) as {
  default: Build[];
};
writeFileSync(join(dir, 'captured.json'), JSON.stringify(programs.map(captureProgram)));
