import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { withClient } from '../client/with-client.ts';
import { addOutputFlags, clusterSchema, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { executorJson, statusJson } from '../render/cluster-json.ts';
import { listText } from '../render/cluster-text.ts';

const SCHEMA = clusterSchema(10_000);

export function addList(program: Command, cli: CliContext): void {
  const command = program
    .command('list')
    .description('list the applications and executors of a driver')
    .action(async (given: OutputFlags & Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, cli.env);
      const { applications, executors } = await withClient(cli, { ...flags, quiet: given.quiet }, (client) =>
        client.list(),
      );
      if (given.json === true) {
        writeJson(cli, {
          applications: applications.map(statusJson),
          executors: executors.map(executorJson),
        });
      } else cli.terminal.out(listText(applications, executors, cli.clock.now()));
    });
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON document on standard output');
}
