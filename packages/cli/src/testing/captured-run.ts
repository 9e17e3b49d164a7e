import { systemClock } from '@millrace/common';
import { Interrupts } from '../interrupts.ts';
import { runCli } from '../run-cli.ts';
import { createTerminal, type Environment } from '../terminal.ts';

export interface CapturedRun {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface CapturedRunOptions {
  readonly cwd: string;
  readonly env?: Environment;
  readonly input?: readonly string[];
  readonly interrupts?: Interrupts;
}

/** Runs a command line and gives what it wrote. */
export async function runCaptured(
  argv: readonly string[],
  {
    cwd,
    env = {},
    input = [],
    interrupts = new Interrupts(systemClock, () => undefined),
  }: CapturedRunOptions,
): Promise<CapturedRun> {
  let out = '';
  let err = '';
  const exitCode = await runCli(argv, {
    terminal: createTerminal({ write: (text) => (out += text) }, { write: (text) => (err += text) }, env),
    input: async function* () {
      for (const piece of input) yield Buffer.from(piece);
    },
    env,
    cwd,
    clock: systemClock,
    interrupts,
  });
  return { exitCode, out, err };
}
