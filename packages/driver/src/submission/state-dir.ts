import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MillraceError, messageOf } from '@millrace/common';

/**
 * Makes a directory and those above it, or finds it. Not `mkdir({ recursive })`: that one never returns for a path below /proc,
 * where a directory cannot be made and the one above it is there.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      await makeDirectory(dirname(path));
      await mkdir(path, { mode: 0o700 });
    } else if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) {
      throw error;
    }
  }
}

/** Before anything in the directory is changed: another driver may have taken it over. @throws MillraceError FENCED. */
export type AssertHeld = () => Promise<void>;

const DISK_TROUBLE: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT', 'EIO']);

/** What the first use of a state directory failed with. */
export function stateDirProblem(stateDir: string, error: unknown): MillraceError {
  if (MillraceError.is(error)) return error;
  const disk = DISK_TROUBLE.has((error as NodeJS.ErrnoException).code);
  return new MillraceError(
    disk ? 'LOG_WRITE_FAILED' : 'CONFIG_INVALID',
    `${stateDir} cannot be the state directory: ${messageOf(error)}`,
    {
      remedy: disk
        ? 'Make room for it, or mend its disk.'
        : 'Give --state-dir a directory that this user may make and write to.',
      details: { stateDir },
      cause: error,
    },
  );
}

/** What a later use of it failed with. */
export function stateDirLost(directory: string, error: unknown): MillraceError {
  if (MillraceError.is(error)) return error;
  const disk = DISK_TROUBLE.has((error as NodeJS.ErrnoException).code);
  const mend = `Mend ${directory}. When the state directory was removed, end the driver, put the directory back, and start the driver again.`;
  return new MillraceError('LOG_WRITE_FAILED', `${directory} cannot be written to: ${messageOf(error)}`, {
    remedy: disk ? `Make room for ${directory}, or mend its disk.` : mend,
    details: { directory },
    cause: error,
  });
}
