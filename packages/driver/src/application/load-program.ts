import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type EvaluatedJob,
  evaluateJob,
  type FunctionShipper,
  isJobDefinition,
  type JobDefinition,
} from '@millrace/api/internal';
import {
  captureClosure,
  type JobManifest,
  type JobWarning,
  LARGE_CAPTURE_BYTES,
  loadManifest,
} from '@millrace/closures';
import { MILLRACE_VERSION, MillraceError, NODE_MAJOR, sameApi } from '@millrace/common';
import { userError } from './user-error.ts';

/**
 * Imports the driver side of an unpacked bundle, and runs its job function. `warn` hears what its sources alone show.
 * @throws MillraceError VERSION_MISMATCH, API_VERSION_MISMATCH, JOB_EVALUATION_FAILED, JOB_NO_DEFAULT_EXPORT, CONFIG_INVALID, PROGRAM_MISSING, or what the module threw
 *   when that is coded (ENV_MISSING …).
 */
export async function loadProgram(
  programDir: string,
  overrides: Readonly<Record<string, unknown>>,
  warn: (warning: JobWarning) => void,
): Promise<EvaluatedJob> {
  let entry: string;
  try {
    const manifest = JSON.parse(readFileSync(join(programDir, 'manifest.json'), 'utf8')) as JobManifest;
    checkVersions(manifest);
    loadManifest(manifest);
    for (const warning of manifest.warnings ?? []) warn(warning);
    entry = manifest.entry;
  } catch (error) {
    throw MillraceError.from(error, 'PROGRAM_MISSING', { remedy: 'Submit the job again.' });
  }
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(join(programDir, 'driver.mjs')).href)) as typeof module;
  } catch (error) {
    const remedy = 'Mend what the job module throws at its top level.';
    throw userError(error, 'JOB_EVALUATION_FAILED', 'the job module', { remedy });
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
  return evaluateJob(withThrown(module.default), overrides, closureShipper(warn));
}

/** The same job, whose function throws what `userError` makes of it. */
function withThrown(definition: JobDefinition): JobDefinition {
  const { build } = definition;
  if (typeof build !== 'function') return definition;
  const remedy = 'Mend what the job function throws.';
  return {
    ...definition,
    async build(context) {
      try {
        await build(context);
      } catch (error) {
        throw userError(error, 'JOB_EVALUATION_FAILED', 'the job function', { remedy });
      }
    },
  };
}

function exported(module: object): string {
  const names = Object.keys(module);
  return names.length === 0 ? '' : `; it exports ${names.join(', ')}`;
}

/** Programs that another major version of Node, or another version of the API, has made are refused before they run. */
function checkVersions({ entry, nodeMajor, apiVersion }: JobManifest): void {
  if (nodeMajor !== NODE_MAJOR) {
    throw new MillraceError(
      'VERSION_MISMATCH',
      `${entry} was bundled with Node ${nodeMajor}, this host runs Node ${NODE_MAJOR}`,
      {
        remedy: `Submit ${entry} again, with Node ${NODE_MAJOR}.`,
        details: { file: entry, nodeMajor, hostNodeMajor: NODE_MAJOR },
      },
    );
  }
  if (!sameApi(apiVersion, MILLRACE_VERSION)) {
    throw new MillraceError(
      'API_VERSION_MISMATCH',
      `${entry} was bundled for Millrace ${apiVersion}, this host has ${MILLRACE_VERSION}`,
      {
        remedy: `Submit ${entry} with the millrace command of version ${MILLRACE_VERSION}, or upgrade the cluster.`,
        details: { file: entry, apiVersion, hostVersion: MILLRACE_VERSION },
      },
    );
  }
}

/** More places than this are no list that anybody reads. */
const TOLD_MAX = 1000;

/** Captures lambdas. What a capture warns of is told once a place; that takes longer, so that later captures are not asked. */
export function closureShipper(warn: (warning: JobWarning) => void): FunctionShipper {
  const told = new Set<string>();
  return (fn, where) => {
    const { hash, bytes, label, broadcastIds, warnings } = captureClosure(fn, { where });
    // What was small when it was checked may have grown.
    const key = bytes.byteLength > LARGE_CAPTURE_BYTES ? `${label} large` : label;
    if (!told.has(key) && told.size < TOLD_MAX) {
      told.add(key);
      for (const warning of warnings()) {
        const id = `${warning.code} ${warning.what}`;
        if (!told.has(id)) warn(warning);
        told.add(id);
      }
    }
    return { hash, bytes, place: label, broadcastIds };
  };
}
