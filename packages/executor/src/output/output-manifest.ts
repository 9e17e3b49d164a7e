import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { FileManifest } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { unlessAbsent } from './file-failure.ts';

/** As Spark's, which is empty. */
export const MANIFEST = '_SUCCESS';

/** undefined: there is none, or it is not one of Millrace. */
export async function manifestOf(directory: string): Promise<FileManifest | undefined> {
  const text = await readFile(join(directory, MANIFEST), 'utf8').catch(unlessAbsent);
  if (text === undefined) return undefined;
  try {
    const manifest = JSON.parse(text) as Partial<FileManifest> | null;
    return manifest?.format === 'millrace-files' && Array.isArray(manifest.files)
      ? (manifest as FileManifest)
      : undefined;
  } catch {
    return undefined;
  }
}

export function conflict(
  directory: string,
  what: string,
  details: Readonly<Record<string, number>> = {},
): MillraceError {
  return new MillraceError('OUTPUT_CONFLICT', `${directory} ${what}`, {
    remedy: `Nothing in it was changed. Move ${basename(directory)} away, or give the output another directory.`,
    details: { path: directory, ...details },
  });
}

export function whoWrote({ application, output, batchTime }: FileManifest): string {
  return `${output} of ${application} in batch ${new Date(batchTime).toISOString()}`;
}
