import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { FOLLOW_SCHEMA, followAccepted } from '../client/follow-accepted.ts';
import { withClient } from '../client/with-client.ts';
import { addOutputFlags, clusterSchema, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { reporterOf } from '../render/application-reporter.ts';
import { programsText } from '../render/cluster-text.ts';
import { UsageError } from '../usage-error.ts';

const SCHEMA = { ...clusterSchema(60_000), ...FOLLOW_SCHEMA };

interface RollbackFlags extends OutputFlags, Readonly<Record<string, unknown>> {
  readonly to?: string;
  readonly list?: boolean;
  readonly detach?: boolean;
  readonly withNewProgram?: boolean;
}

export function addRollback(program: Command, cli: CliContext): void {
  const command = program
    .command('rollback <application>')
    .description(
      'submit an earlier program of a stopped application again, with its --conf and --env, without its --batches',
    )
    .option('--to <id>', 'which one, as --list shows it; default: the one before the current one')
    .option('--list', 'show the programs that are kept, and do nothing')
    .option('--detach', 'print the name and leave the application running')
    .option(
      '--with-new-program',
      'a batch that the current program has planned runs with the earlier one; default: with its own, first',
    )
    .action((application: string, given: RollbackFlags) => rollback(cli, application, given));
  addOutputFlags(addFlags(command, SCHEMA), 'events, or the list, as JSON on standard output');
}

async function rollback(cli: CliContext, application: string, given: RollbackFlags): Promise<void> {
  const { to = '', list = false, withNewProgram = false } = given;
  const problems = /^[0-9a-f]*$/.test(to) ? [] : [`--to: expected how the id of a program begins, got ${to}`];
  if (list && to !== '') problems.push('give --list or --to, not both');
  if (problems.length > 0) throw new UsageError(problems);
  const flags = resolveFlags(SCHEMA, given, cli.env);
  const quiet = given.quiet === true;
  const reporter = reporterOf(cli.terminal, given);
  await withClient(cli, { ...flags, quiet }, async (client) => {
    if (list) {
      const status = await client.status(application);
      const { programId, programHash, submittedAt, earlierPrograms } = status;
      if (given.json === true) {
        const current = { programId, programHash, submittedAt };
        writeJson(cli, { application, current, earlier: earlierPrograms });
      } else cli.terminal.out(programsText(status, cli.clock.now()));
      return;
    }
    const accepted = await client.rollback({ application, to, withNewProgram });
    await followAccepted(cli, client, reporter, accepted, { ...given, ...flags });
  });
}
