import { join, resolve } from 'node:path';
import { MillraceError, type Resolved, silentLogger, text } from '@millrace/common';
import type { CheckpointStore } from '@millrace/driver';
import type { CliContext } from '../cli-context.ts';
import { STATE_DIR } from './state-dir.ts';

/** Flags of commands that read logs and keyed state where the driver keeps them, and ask no driver. */
export const CHECKPOINT_PLACE = {
  stateDir: STATE_DIR,
  checkpointStore: text({
    doc: 'where the driver keeps logs and keyed state: "directory" (below --state-dir), postgres://…, env:NAME or file:PATH',
    default: 'directory',
    secret: true,
  }),
};

/** @throws MillraceError CONFIG_INVALID; LOG_WRITE_FAILED when the store cannot be reached. */
export async function withCheckpointStore<T>(
  cli: CliContext,
  { stateDir, checkpointStore }: Resolved<typeof CHECKPOINT_PLACE>,
  use: (store: CheckpointStore) => Promise<T>,
): Promise<T> {
  const { checkpointLocation, openCheckpointStore } = await import('@millrace/driver');
  const applicationsDir = join(resolve(cli.cwd, stateDir), 'applications');
  const store = await openCheckpointStore(checkpointLocation(checkpointStore, cli.env), applicationsDir, {
    clock: cli.clock,
    logger: silentLogger,
  });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** Of an application, or a directory. */
export function noLogOf(what: string): MillraceError {
  return new MillraceError('APPLICATION_UNKNOWN', `there is no log of ${what}`, {
    remedy:
      "Run it where the driver's state directory is, with the driver's --state-dir or --checkpoint-store.",
  });
}
