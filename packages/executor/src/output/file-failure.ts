import { MillraceError, messageOf } from '@millrace/common';

/** Of an error of the file system; '' of another one. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** @throws MillraceError OUTPUT_WRITE_FAILED for what is not coded. */
export async function failing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (MillraceError.is(error)) throw error;
    throw new MillraceError('OUTPUT_WRITE_FAILED', `${path} could not be written: ${messageOf(error)}`, {
      cause: error,
      remedy:
        'Check the directory, the rights in it and in the one above it, and the free space on the machine of this executor.',
      details: { path },
    });
  }
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

/** undefined: what was asked for is not there. @throws any other error. */
export function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}
