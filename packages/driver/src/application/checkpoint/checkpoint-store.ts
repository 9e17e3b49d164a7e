import { readFileSync } from 'node:fs';
import { type Clock, type Logger, MillraceError, messageOf } from '@millrace/common';
import type { LogFiles } from '../log/log-files.ts';
import type { StateFiles } from '../state/state-files.ts';
import { directoryCheckpointStore } from './directory-store.ts';

/** The log of one application, and its keyed state. */
export interface CheckpointFiles {
  readonly log: LogFiles;
  readonly state: StateFiles;
}

/** Where logs and keyed state of applications are kept: what a restart goes by. */
export interface CheckpointStore {
  /** Where an application's log lies: for messages. */
  where(application: string): string;
  /** What is there now; whoever is going to write takes it (`LogFiles.take`). @throws MillraceError LOG_CORRUPT, LOG_WRITE_FAILED. */
  open(application: string): Promise<CheckpointFiles>;
  /** At most so many bytes of a file of keyed state. @throws MillraceError STATE_CORRUPT, BAD_REQUEST. */
  readonly readState: (
    application: string,
    file: string,
    offset: number,
    bytes: number,
  ) => Promise<Uint8Array>;
  close(): Promise<void>;
}

/** 'directory', or a connection string of PostgreSQL. */
export type CheckpointLocation = string;

export const IN_DIRECTORY: CheckpointLocation = 'directory';

const POSTGRES = /^postgres(?:ql)?:\/\//;

/**
 * The location that an option names: itself, or what an environment variable ("env:NAME") or a file ("file:PATH") holds.
 * @throws MillraceError CONFIG_INVALID.
 */
export function checkpointLocation(
  given: string,
  environment: Readonly<Record<string, string | undefined>>,
): CheckpointLocation {
  const [, kind, name = ''] = /^(env|file):(.*)$/s.exec(given) ?? [];
  let location: string | undefined = given;
  try {
    if (kind === 'env') location = environment[name];
    if (kind === 'file') location = readFileSync(name, 'utf8').trim();
  } catch (error) {
    throw new MillraceError('CONFIG_INVALID', `checkpointStore: ${messageOf(error)}`);
  }
  if (location === IN_DIRECTORY) return location;
  if (location !== undefined && POSTGRES.test(location) && URL.canParse(location)) return location;
  const what = kind === undefined ? 'it' : given;
  throw new MillraceError(
    'CONFIG_INVALID',
    `checkpointStore: ${what} is neither "directory" nor postgres://…`,
    {
      remedy: 'Give postgres://user@host:port/database, env:NAME or file:PATH.',
    },
  );
}

/** PostgreSQL's client is loaded only when it is needed. */
export async function openCheckpointStore(
  location: CheckpointLocation,
  applicationsDir: string,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<CheckpointStore> {
  if (location === IN_DIRECTORY) return directoryCheckpointStore(applicationsDir);
  const { postgresCheckpointStore } = await import('./postgres-store.ts');
  return postgresCheckpointStore(location, { ...deps, waitingDirectory: applicationsDir });
}
