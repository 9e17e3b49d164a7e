import { type ConfigSchema, createLogger, systemRandom } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addFlags } from '../options/flags.ts';
import { resolveServiceFlags, serviceSchema } from '../options/service-options.ts';
import { announceReady } from '../processes/parent-link.ts';
import { untilInterrupted } from '../processes/service.ts';

/** `options`: EXECUTOR_OPTIONS, or nothing when this command is not the one that runs (its package is large). */
export function addExecutor(program: Command, cli: CliContext, options: ConfigSchema = {}): void {
  const command = program
    .command('executor')
    .description('run an executor: task slots that a driver gives work to')
    .option('--verbose', 'stacks of errors')
    .action(async (given: Record<string, unknown>) => {
      const resolved = resolveServiceFlags('executor', options, given, cli);
      const { startExecutor } = await import('@millrace/executor');
      const log = createLogger({ name: 'executor' });
      const executor = await startExecutor(resolved, { log, clock: cli.clock, random: systemRandom });
      executor.registered.then(
        () => announceReady(executor.blockAddress),
        // `ended` tells of it.
        () => undefined,
      );
      await untilInterrupted(cli, { stop: () => executor.stop({ graceful: true }), ended: executor.ended });
    });
  addFlags(command, serviceSchema(options));
}
