import { integer } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { withClient } from '../client/with-client.ts';
import { addOutputFlags, clusterSchema, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { logEntryText, parseLogEntry } from '../render/log-entry.ts';

const SCHEMA = {
  ...clusterSchema(10_000),
  tail: integer({
    doc: 'how many of the last entries; 0: all that the log still holds',
    unit: 'entries',
    default: 20,
    max: 1_000_000,
  }),
};

/** `millrace log`: not `logs`, which is what the job printed. */
export function addLog(program: Command, cli: CliContext): void {
  const command = program
    .command('log <application>')
    .description("print an application's log of offsets: its batches, their ranges and commits")
    .action(async (application: string, given: OutputFlags & Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, cli.env);
      const ended = cli.interrupts.listen(() => undefined);
      try {
        await withClient(cli, { ...flags, quiet: given.quiet }, async (client) => {
          const lines = client.offsetLog(application, { tail: flags.tail }, cli.interrupts.signal);
          for await (const line of lines) {
            const entry = parseLogEntry(line);
            if (given.json === true) writeJson(cli, { ...entry });
            else cli.terminal.out(logEntryText(entry, given.verbose === true));
          }
        });
      } finally {
        ended();
      }
    });
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON line an entry on standard output');
}
