import { type ConfigSchema, MILLRACE_VERSION } from '@millrace/common';
import { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { addCheck } from './commands/check.ts';
import { addCheckLog } from './commands/check-log.ts';
import { addDemo } from './commands/demo.ts';
import { addDev } from './commands/dev.ts';
import { addDevBroker } from './commands/dev-broker.ts';
import { addDriver } from './commands/driver.ts';
import { addExecutor } from './commands/executor.ts';
import { addGenerateClicks } from './commands/generate-clicks.ts';
import { addList } from './commands/list.ts';
import { addLog } from './commands/log.ts';
import { addLogs } from './commands/logs.ts';
import { addOffsets } from './commands/offsets.ts';
import { addProduce } from './commands/produce.ts';
import { addRollback } from './commands/rollback.ts';
import { addState } from './commands/state.ts';
import { addStatus } from './commands/status.ts';
import { addKill, addStop } from './commands/stop.ts';
import { addSubmit } from './commands/submit.ts';
import { EXIT_CODES_HELP } from './exit-codes.ts';

/** Options of the services that a command line names: their packages are large, so they are loaded for them only. */
export interface ServiceOptions {
  readonly driver?: ConfigSchema;
  readonly executor?: ConfigSchema;
}

export async function loadServiceOptions(argv: readonly string[]): Promise<ServiceOptions> {
  if (argv.includes('driver')) return { driver: (await import('@millrace/driver')).DRIVER_OPTIONS };
  if (argv.includes('executor')) return { executor: (await import('@millrace/executor')).EXECUTOR_OPTIONS };
  return {};
}

/** The command line: every command with its flags. Nothing is loaded that only running one needs. */
export function buildProgram(cli: CliContext, services: ServiceOptions = {}): Command {
  const program = new Command('millrace')
    .description('A distributed micro-batch stream engine over Kafka.')
    .version(MILLRACE_VERSION)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => cli.terminal.out(text),
      writeErr: (text) => cli.terminal.err(text),
      // Errors are printed once, by runCli.
      outputError: () => undefined,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', `\n${EXIT_CODES_HELP}`);
  addDev(program, cli);
  addSubmit(program, cli);
  addCheck(program, cli);
  addStatus(program, cli);
  addList(program, cli);
  addLogs(program, cli);
  addLog(program, cli);
  addCheckLog(program, cli);
  addOffsets(program, cli);
  addState(program, cli);
  addRollback(program, cli);
  addStop(program, cli);
  addKill(program, cli);
  addDriver(program, cli, services.driver);
  addExecutor(program, cli, services.executor);
  addDemo(program, cli);
  addDevBroker(program, cli);
  addGenerateClicks(program, cli);
  addProduce(program, cli);
  for (const command of program.commands) {
    for (const each of [command, ...command.commands]) each.addHelpText('after', `\n${EXIT_CODES_HELP}`);
  }
  return program;
}
