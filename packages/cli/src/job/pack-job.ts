import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { bundleJob } from '@millrace/closures/bundle';
import { MillraceError } from '@millrace/common';
import { contentHash, packBundle } from '@millrace/proto/task';
import { checkTypes } from './check-types.ts';

export interface PackedJob {
  readonly programHash: string;
  readonly archive: Uint8Array;
}

export interface PackOptions {
  /** What a relative path is relative to. */
  readonly cwd: string;
  readonly externals: readonly string[];
  readonly typecheck: boolean;
  /** The project that types are checked with; default: the nearest tsconfig.json. Implies `typecheck`. */
  readonly tsconfig?: string | undefined;
}

/**
 * Bundles a job module, with every check that needs no evaluation.
 * @throws MillraceError BUNDLE_FAILED, IMPORT_UNRESOLVED, NATIVE_ADDON, CLOSURE_*, TYPE_CHECK_FAILED, MESSAGE_TOO_LARGE.
 */
export async function packJob(job: string, options: PackOptions): Promise<PackedJob> {
  const entry = resolve(options.cwd, job);
  const found = await stat(entry).catch(() => undefined);
  if (found?.isFile() !== true) {
    throw new MillraceError('BUNDLE_FAILED', `${job} is not a file`, {
      remedy: 'Give the path of a job module: a .ts or .js file whose default export is defineJob(…).',
      details: { file: entry },
    });
  }
  const { tsconfig } = options;
  if (options.typecheck || tsconfig !== undefined)
    await checkTypes(entry, tsconfig === undefined ? undefined : resolve(options.cwd, tsconfig));
  const bundle = await bundleJob(entry, { externals: options.externals });
  const archive = packBundle(bundle.files);
  // Of the archive, and not the bundle's own: the driver checks what arrives against it.
  return { programHash: contentHash(archive), archive };
}
