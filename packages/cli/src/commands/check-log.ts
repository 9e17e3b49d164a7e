import { join, resolve } from 'node:path';
import { MillraceError, optional, type Resolved, silentLogger, text } from '@millrace/common';
import type { LogCheck } from '@millrace/driver';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { EXIT } from '../exit-codes.ts';
import { addOutputFlags, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { STATE_DIR } from '../options/state-dir.ts';
import { logCheckJson, logCheckText } from '../render/log-check.ts';
import { UsageError } from '../usage-error.ts';

const SCHEMA = {
  stateDir: STATE_DIR,
  checkpointStore: text({
    doc: 'where the driver keeps logs and keyed state: "directory" (below --state-dir), postgres://…, env:NAME or file:PATH',
    default: 'directory',
    secret: true,
  }),
  dir: optional(text({ doc: 'the directory of a log itself, instead of an application', unit: 'path' })),
};

/** `millrace check-log`: reads files, and asks no driver. */
export function addCheckLog(program: Command, cli: CliContext): void {
  const command = program
    .command('check-log [application]')
    .description(
      "check by an application's log alone that every offset was read once, in order, and its keyed state is whole",
    )
    .action((application: string | undefined, given: OutputFlags & Record<string, unknown>) =>
      checkLog(cli, application, given),
    );
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON document on standard output');
}

async function checkLog(
  cli: CliContext,
  application: string | undefined,
  given: OutputFlags & Record<string, unknown>,
): Promise<void> {
  const { dir, ...place } = resolveFlags(SCHEMA, given, cli.env);
  if ((application === undefined) === (dir === undefined))
    throw new UsageError(['give an application or --dir, one of them']);
  const check =
    dir === undefined
      ? await checkApplication(cli, String(application), place)
      : await (await import('@millrace/driver')).checkLogDirectory(resolve(cli.cwd, dir));
  if (!check) {
    throw new MillraceError('APPLICATION_UNKNOWN', `there is no log of ${application ?? dir}`, {
      remedy:
        "Run it where the driver's state directory is, with the driver's --state-dir or --checkpoint-store, or give the directory that holds epoch-*.log as --dir.",
    });
  }
  if (given.json === true) writeJson(cli, logCheckJson(check));
  else cli.terminal.out(logCheckText(check, given.verbose === true));
  if (check.findings.length > 0) cli.setExitCode(EXIT.dataLoss);
}

async function checkApplication(
  cli: CliContext,
  application: string,
  { stateDir, checkpointStore }: Resolved<Pick<typeof SCHEMA, 'stateDir' | 'checkpointStore'>>,
): Promise<LogCheck | undefined> {
  const { checkpointLocation, checkStoredLog, openCheckpointStore } = await import('@millrace/driver');
  const applicationsDir = join(resolve(cli.cwd, stateDir), 'applications');
  const store = await openCheckpointStore(checkpointLocation(checkpointStore, cli.env), applicationsDir, {
    clock: cli.clock,
    logger: silentLogger,
  });
  try {
    return await checkStoredLog(application, store);
  } finally {
    await store.close();
  }
}
