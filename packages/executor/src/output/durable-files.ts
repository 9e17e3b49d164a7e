import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import { unlessAbsent } from './file-failure.ts';

/** Who reads directories knows to leave out what begins with "_". */
export const STAGING = '_temporary';

/** Those that stay are on disk. */
export async function makeDirectories(stage: string): Promise<void> {
  const made = await mkdir(stage, { recursive: true });
  if (made === undefined || made.split(sep).includes(STAGING)) return;
  let directory = stage.slice(0, stage.indexOf(`${sep}${STAGING}${sep}`));
  for (; directory.length >= made.length; directory = dirname(directory))
    await syncDirectory(dirname(directory));
}

/** undefined: it is not there. */
export async function sizeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(unlessAbsent))?.size;
}

/** undefined: it is not there. */
export async function inodeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(unlessAbsent))?.ino;
}

/** A new file. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The names in it are on disk. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
