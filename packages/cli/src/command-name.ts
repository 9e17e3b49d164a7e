import type { Environment } from './terminal.ts';

/** How this command is called here, for a line that is to be copied: in a clone of the repository, tools/run.mjs says. */
export function commandName(env: Environment): string {
  return env['MILLRACE_COMMAND'] || 'millrace';
}
