import { nearestName } from '@millrace/common';
import { type Command, CommanderError } from 'commander';
import type { CliContext } from './cli-context.ts';
import { errorJson, renderError } from './error-report.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { writeJson } from './options/cluster-options.ts';
import { buildProgram, loadServiceOptions } from './program.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command line (without `node` and the script). Never throws: errors are printed and become the exit code. */
export async function runCli(
  argv: readonly string[],
  outside: Omit<CliContext, 'setExitCode'>,
): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok;
  const setExitCode = (code: ExitCode): void => {
    exitCode = code;
  };
  const cli: CliContext = { ...outside, setExitCode };
  const program = buildProgram(cli, await loadServiceOptions(argv));
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (thrown) {
    // Help and version are thrown, too.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const error = thrown instanceof CommanderError ? usageError(thrown, program, argv) : thrown;
    report(error, argv, cli);
    exitCode = exitCodeOf(error);
  }
  return cli.interrupts.exitCode(exitCode);
}

function report(error: unknown, argv: readonly string[], cli: CliContext): void {
  // Help was printed already: a command line without a command.
  if (error instanceof UsageError && error.problems.length === 0) return;
  cli.terminal.err(renderError(error, cli.terminal, { verbose: hasFlag(argv, '--verbose') }));
  if (hasFlag(argv, '--json')) writeJson(cli, { kind: 'error', error: errorJson(error) });
}

/** Looked up in the raw arguments: a command line that does not parse has them, too. */
function hasFlag(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes(flag);
}

function usageError(error: CommanderError, program: Command, argv: readonly string[]): UsageError {
  if (error.code === 'commander.help') return new UsageError([]);
  if (error.code === 'commander.unknownOption') {
    const problems = unknownOptions(program, argv);
    if (problems.length > 0) return new UsageError(problems);
  }
  return new UsageError([error.message.replace(/^error: /, '').replace(/\n\(([^)]*)\)$/, '; $1')]);
}

/** Every unknown long flag of a command line (commander stops at the first), each with the nearest one. */
function unknownOptions(program: Command, argv: readonly string[]): string[] {
  const words = argv.filter((argument) => !argument.startsWith('-'));
  const named = (within: Command, word: string | undefined): Command =>
    within.commands.find((candidate) => candidate.name() === word) ?? within;
  const command = named(named(program, words[0]), words[1]);
  const known = ['--help', ...command.options.map((option) => option.long ?? '')];
  const end = argv.indexOf('--');
  const unknown = (end < 0 ? argv : argv.slice(0, end))
    .filter((argument) => argument.startsWith('--'))
    .map((argument) => argument.split('=')[0] ?? '')
    .filter((flag) => !known.includes(flag));
  return [...new Set(unknown)].map((flag) => {
    const near = nearestName(flag, known);
    return `unknown option ${flag}${near === undefined ? '' : `; did you mean ${near}?`}`;
  });
}
