import { resolve } from 'node:path';
import { optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { EXIT } from '../exit-codes.ts';
import { CHECKPOINT_PLACE, noLogOf, withCheckpointStore } from '../options/checkpoint-place.ts';
import { addOutputFlags, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { logCheckJson, logCheckText } from '../render/log-check.ts';
import { UsageError } from '../usage-error.ts';

const SCHEMA = {
  ...CHECKPOINT_PLACE,
  dir: optional(
    text({
      doc: 'the directory of a log itself (with epoch-*.log), instead of an application',
      unit: 'path',
    }),
  ),
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
  const { checkLogDirectory, checkStoredLog } = await import('@millrace/driver');
  const check =
    dir === undefined
      ? await withCheckpointStore(cli, place, (store) => checkStoredLog(String(application), store))
      : await checkLogDirectory(resolve(cli.cwd, dir));
  if (!check) throw noLogOf(application ?? String(dir));
  if (given.json === true) writeJson(cli, logCheckJson(check));
  else cli.terminal.out(logCheckText(check, given.verbose === true));
  if (check.findings.length > 0) cli.setExitCode(EXIT.dataLoss);
}
