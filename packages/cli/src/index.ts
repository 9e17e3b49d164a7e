export type { CliContext } from './cli-context.ts';
export { EXIT, EXIT_OF_ERROR, type ExitCode, exitCodeOf } from './exit-codes.ts';
export { type InterruptSignal, Interrupts } from './interrupts.ts';
export { runCli } from './run-cli.ts';
export { createTerminal, type Terminal } from './terminal.ts';
