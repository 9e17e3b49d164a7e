import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MILLRACE_VERSION, MillraceError, messageOf, NODE_MAJOR } from '@millrace/common';
import type { JobManifest } from '../manifest.ts';
import type { BundleFile, BundleOptions, JobBundle } from './job-bundle.ts';
import { programHashOf } from './program-hash.ts';
import { fileLabel, findSourceRoot } from './source-root.ts';

/**
 * Bundles a job module and lifts its closures. Throws MillraceError BUNDLE_FAILED, IMPORT_UNRESOLVED,
 * API_VERSION_MISMATCH, JOB_TOP_LEVEL_AWAIT or NATIVE_ADDON, with all problems at once, each with its file and line.
 */
export async function bundleJob(entry: string, options: BundleOptions = {}): Promise<JobBundle> {
  const entryPath = await realpath(resolve(entry)).catch((cause: unknown) => {
    throw new MillraceError('BUNDLE_FAILED', `Cannot read the job module ${entry}: ${messageOf(cause)}`, {
      cause,
      remedy: 'Give the path of a TypeScript or JavaScript file.',
      details: { file: entry },
    });
  });
  const sourceRoot = await realpath(options.sourceRoot ?? findSourceRoot(dirname(entryPath)));
  // The bundler loads only here: hosts and slots import this package too, and never need it.
  const { buildBundles } = await import('./rolldown-build.ts');
  const { user, files } = await buildBundles(entryPath, sourceRoot, options.externals ?? []);
  const [{ linkDeclarations }, { sourceWarnings }] = await Promise.all([
    import('./declaration-links.ts'),
    import('./source-warnings.ts'),
  ]);
  const manifest: Omit<JobManifest, 'programHash'> = {
    formatVersion: 1,
    entry: fileLabel(sourceRoot, entryPath),
    nodeMajor: NODE_MAJOR,
    apiVersion: MILLRACE_VERSION,
    closures: linkDeclarations(user.modules, user.resolved),
    imports: [...user.imports]
      .map(([key, { specifier, name }]) => ({ key, specifier, name }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    warnings: sourceWarnings(user.modules, user.sources),
    sources: Object.fromEntries([...user.sources].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  const programHash = programHashOf(files, manifest);
  const complete: JobManifest = { ...manifest, programHash };
  const manifestFile: BundleFile = {
    path: 'manifest.json',
    content: new TextEncoder().encode(JSON.stringify(complete)),
  };
  const all = [...files, manifestFile];
  for (const { path } of all) checkPath(path);
  return { programHash, files: all, manifest: complete };
}

/** Bundles are unpacked elsewhere: no file may land outside of its directory. */
function checkPath(path: string): void {
  const isSafe = /^[\w@.$~+/-]+$/.test(path) && !path.startsWith('/') && !path.split('/').includes('..');
  if (!isSafe)
    throw new MillraceError(
      'BUNDLE_FAILED',
      `The bundler made a file with the unsafe path ${JSON.stringify(path)}`,
    );
}
