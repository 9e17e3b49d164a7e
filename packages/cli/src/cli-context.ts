import type { Clock } from '@millrace/common';
import type { ExitCode } from './exit-codes.ts';
import type { Interrupts } from './interrupts.ts';
import type { Environment, Terminal } from './terminal.ts';

/** What every command gets: the outside world. */
export interface CliContext {
  readonly terminal: Terminal;
  /** Standard input. Asked for only by who reads it: it keeps the process running. */
  input(): AsyncIterable<Uint8Array>;
  readonly env: Environment;
  readonly cwd: string;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  /** What the command ends with when it does not throw. Default: 0. */
  setExitCode(code: ExitCode): void;
}
