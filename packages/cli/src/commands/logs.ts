import { integer } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { withClient } from '../client/with-client.ts';
import { clusterSchema } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';

const SCHEMA = {
  ...clusterSchema(10_000),
  tail: integer({
    doc: 'how many of the last lines to begin with',
    unit: 'lines',
    default: 200,
    max: 100_000,
  }),
};

export function addLogs(program: Command, cli: CliContext): void {
  const command = program
    .command('logs <application>')
    .description("print the log of an application's host")
    .option('-f, --follow', 'go on with new lines until Ctrl-C')
    .option('--verbose', 'stacks of errors')
    .action(async (application: string, given: { readonly follow?: boolean } & Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, cli.env);
      const ended = cli.interrupts.listen(() => undefined);
      try {
        await withClient(cli, flags, async (client) => {
          const options = { follow: given.follow === true, tail: flags.tail };
          const lines = client.logs(application, options, cli.interrupts.signal);
          for await (const line of lines) cli.terminal.out(`${line}\n`);
        });
      } finally {
        ended();
      }
    });
  addFlags(command, SCHEMA);
}
