import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MillraceError, messageOf } from '@millrace/common';

/**
 * Replaces a file as a whole: after a crash either the old or the new content is there, complete. Mode 600, since what is kept
 * may be secret. One writer a path at a time.
 */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await using file = await open(temporary, 'w', 0o600);
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** A rename or removal is durable when its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

/** @throws MillraceError LOG_CORRUPT: never a silent fresh start. Undefined when there is no such file. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new MillraceError('LOG_CORRUPT', `${path} is damaged: ${messageOf(error)}`, {
      remedy: 'Restore the file, or move it away and submit the application again.',
      details: { path },
    });
  }
}
