import { createLogger, integer, systemRandom, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { announceReady } from '../processes/parent-link.ts';
import { untilInterrupted } from '../processes/service.ts';

const SCHEMA = {
  port: integer({ doc: 'port to listen on; 0: a free one', default: 9092, max: 65_535 }),
  host: text({ doc: 'address to listen on', default: '127.0.0.1' }),
};

/** The embedded broker as a process of its own, so that nothing else stalls it. Started by `dev` and `demo`. */
export function addDevBroker(program: Command, cli: CliContext): void {
  const command = program
    .command('dev-broker', { hidden: true })
    .description('run the embedded Kafka broker: in memory, for development and tests only')
    .action(async (given: Record<string, unknown>) => {
      const flags = resolveFlags(SCHEMA, given, cli.env, { command: 'dev-broker' });
      const { startDevBroker } = await import('@millrace/devbroker');
      const broker = await startDevBroker({
        ...flags,
        clock: cli.clock,
        random: systemRandom,
        logger: createLogger({ name: 'broker' }),
      });
      announceReady(broker.brokers);
      cli.terminal.out(`${broker.brokers}\n`);
      await untilInterrupted(cli, { stop: () => broker.close() });
    });
  addFlags(command, SCHEMA);
}
