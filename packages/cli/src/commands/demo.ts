import { integer, optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addFlags, resolveFlags, withKafkaBrokers } from '../options/flags.ts';

const SCHEMA = {
  brokers: optional(
    text({
      doc: 'a Kafka that runs (also env KAFKA_BROKERS); default: an embedded broker',
      unit: 'host:port,…',
    }),
  ),
  batches: optional(integer({ doc: 'end after so many batches; default: with Ctrl-C', unit: 'n', min: 1 })),
  rate: integer({ doc: 'clicks a second', default: 1000, min: 1, max: 200_000 }),
  executors: integer({ doc: 'executor processes', default: 2, min: 1, max: 16 }),
  slots: integer({ doc: 'task slots of each executor', default: 1, min: 1, max: 16 }),
  partitions: integer({ doc: 'partitions of the topic', default: 4, min: 1, max: 256 }),
};

export function addDemo(program: Command, cli: CliContext): void {
  const command = program
    .command('demo')
    .description('watch a real job run on this machine: clicks, Kafka, a driver, two executors')
    .option('--verbose', 'more progress, and stacks of errors')
    .action(async (given: { readonly verbose?: boolean } & Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, withKafkaBrokers(cli.env));
      const { runDemo } = await import('../demo/demo.ts');
      cli.setExitCode(await runDemo(cli, { ...flags, verbose: given.verbose === true }));
    });
  addFlags(command, SCHEMA);
}
