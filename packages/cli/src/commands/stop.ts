import { duration } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import type { StopMode } from '../client/cluster-client.ts';
import { withClient } from '../client/with-client.ts';
import { addOutputFlags, clusterSchema, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { statusJson } from '../render/cluster-json.ts';
import { UsageError } from '../usage-error.ts';

// Reaching the driver is quick, whatever the application needs to end.
const ANSWER_MS = 10_000;

const SCHEMA = {
  ...clusterSchema(ANSWER_MS),
  timeout: duration({
    doc: 'how long the application may take to end; after it the command ends with code 8',
    default: 60_000,
    min: 1,
    max: 24 * 3_600_000,
  }),
};

export function addStop(program: Command, cli: CliContext): void {
  const command = program
    .command('stop <application>')
    .description('end an application: finish, commit and flush its running batch')
    .option('--drain', 'finish the running batch first (the default)')
    .option('--now', 'cancel the running batch: it is run again at the next start')
    .action(async (application: string, given: StopFlags) => {
      if (given.drain === true && given.now === true)
        throw new UsageError(['give --drain or --now, not both']);
      await stop(cli, application, given.now === true ? 'NOW' : 'DRAIN', given);
    });
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON document on standard output');
}

export function addKill(program: Command, cli: CliContext): void {
  const command = program
    .command('kill <application>')
    .description("end an application's host process at once; nothing is flushed")
    .action((application: string, given: StopFlags) => stop(cli, application, 'KILL', given));
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON document on standard output');
}

interface StopFlags extends OutputFlags, Readonly<Record<string, unknown>> {
  readonly drain?: boolean;
  readonly now?: boolean;
}

async function stop(cli: CliContext, application: string, mode: StopMode, given: StopFlags): Promise<void> {
  const flags = resolveFlags(SCHEMA, given, cli.env);
  const answer = { ...flags, timeout: Math.min(flags.timeout, ANSWER_MS), quiet: given.quiet };
  const status = await withClient(cli, answer, (client) => client.stop(application, mode, flags.timeout));
  if (given.json === true) writeJson(cli, statusJson(status));
  else cli.terminal.out(`${application} ${status.state}\n`);
}
