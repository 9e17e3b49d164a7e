import { type ConfigSchema, createLogger } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addFlags } from '../options/flags.ts';
import { resolveServiceFlags, serviceSchema } from '../options/service-options.ts';
import { STATE_DIR } from '../options/state-dir.ts';
import { announceReady } from '../processes/parent-link.ts';
import { untilInterrupted } from '../processes/service.ts';

/** `driverOptions`: DRIVER_OPTIONS, or nothing when this command is not the one that runs (its package is large). */
export function addDriver(program: Command, cli: CliContext, driverOptions: ConfigSchema = {}): void {
  const options = { ...driverOptions, stateDir: STATE_DIR };
  const command = program
    .command('driver')
    .description('run a driver: executors attach to it, and jobs are submitted to it')
    .option('--verbose', 'stacks of errors')
    .action(async (given: Record<string, unknown>) => {
      const { stateDir, ...rest } = resolveServiceFlags('driver', options, given, cli);
      const { startDriver } = await import('@millrace/driver');
      const logger = createLogger({ name: 'driver' });
      const driver = await startDriver({ ...rest, stateDir: String(stateDir) }, { logger, clock: cli.clock });
      announceReady(driver.address);
      await untilInterrupted(cli, { stop: () => driver.stop({ graceful: true }), ended: driver.ended });
    });
  addFlags(command, serviceSchema(options));
}
