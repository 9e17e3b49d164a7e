import { createHash } from 'node:crypto';
import type { JobManifest } from '../manifest.ts';
import type { BundleFile } from './job-bundle.ts';

/** Content hash of what runs and of what the driver knows about it. Maps are left out: they follow from the rest. */
export function programHashOf(
  files: readonly BundleFile[],
  manifest: Omit<JobManifest, 'programHash'>,
): string {
  const hash = createHash('sha256');
  const parts = files
    .filter((file) => !file.path.startsWith('maps/'))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, content } of parts) {
    hash.update(`${path}\n${content.byteLength}\n`);
    hash.update(content);
  }
  hash.update(JSON.stringify(manifest));
  return hash.digest('hex').slice(0, 32);
}
