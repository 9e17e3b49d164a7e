import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type EvaluatedJob,
  evaluateJob,
  type FunctionShipper,
  isJobDefinition,
  stackPlace,
} from '@millrace/api/internal';
import { captureClosure, type JobManifest, loadManifest } from '@millrace/closures';
import { MillraceError, placed, stackOf } from '@millrace/common';

/**
 * Imports the driver side of an unpacked bundle, and runs its job function.
 * @throws MillraceError JOB_EVALUATION_FAILED, JOB_NO_DEFAULT_EXPORT, CONFIG_INVALID, PROGRAM_MISSING, or what the module threw
 *   when that is coded (ENV_MISSING …).
 */
export async function loadProgram(
  programDir: string,
  overrides: Readonly<Record<string, unknown>>,
): Promise<EvaluatedJob> {
  let entry: string;
  try {
    const manifest = JSON.parse(readFileSync(join(programDir, 'manifest.json'), 'utf8')) as JobManifest;
    loadManifest(manifest);
    entry = manifest.entry;
  } catch (error) {
    throw MillraceError.from(error, 'PROGRAM_MISSING', { remedy: 'Submit the job again.' });
  }
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(join(programDir, 'driver.mjs')).href)) as typeof module;
  } catch (error) {
    const thrown = MillraceError.from(error, 'JOB_EVALUATION_FAILED', {
      remedy: 'Mend what the job module throws at its top level.',
    });
    throw placed(thrown, stackPlace(stackOf(error)));
  }
  if (!isJobDefinition(module.default)) {
    throw new MillraceError(
      'JOB_NO_DEFAULT_EXPORT',
      `${entry} has no default export made by defineJob${exported(module)}`,
      {
        remedy: 'Write `export default defineJob({ name, batchInterval }, (ssc) => { … })`.',
        details: { file: entry },
      },
    );
  }
  return evaluateJob(module.default, overrides);
}

function exported(module: object): string {
  const names = Object.keys(module);
  return names.length === 0 ? '' : `; it exports ${names.join(', ')}`;
}

/** Captures lambdas. What a capture warns of is told once a place. */
export function closureShipper(warn: (text: string) => void): FunctionShipper {
  const told = new Set<string>();
  return (fn, where) => {
    const { hash, bytes, label, broadcastIds, warnings } = captureClosure(fn, { where });
    for (const warning of warnings) {
      const text = `${label}: ${warning}`;
      if (told.has(label)) continue;
      told.add(label);
      warn(text);
    }
    return { hash, bytes, place: label, broadcastIds };
  };
}
