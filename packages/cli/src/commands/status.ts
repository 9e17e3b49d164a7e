import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { withClient } from '../client/with-client.ts';
import { addOutputFlags, clusterSchema, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { statusJson } from '../render/cluster-json.ts';
import { statusText } from '../render/cluster-text.ts';

const SCHEMA = clusterSchema(10_000);

export function addStatus(program: Command, cli: CliContext): void {
  const command = program
    .command('status <application>')
    .description('show how an application does')
    .action(async (application: string, given: OutputFlags & Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, cli.env);
      const status = await withClient(cli, { ...flags, quiet: given.quiet }, (client) =>
        client.status(application),
      );
      if (given.json === true) writeJson(cli, statusJson(status));
      else cli.terminal.out(statusText(status, cli.clock.now()));
    });
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON document on standard output');
}
