import type { Command } from 'commander';
import { collect, parseAssignments } from '../options/assignments.ts';
import type { Environment } from '../terminal.ts';
import { checkOverrides } from './job-overrides.ts';
import type { PackOptions } from './pack-job.ts';

/** What commands are told of a job. */
export interface JobFlags {
  readonly conf?: readonly string[];
  readonly env?: readonly string[];
  readonly external?: readonly string[];
  readonly typecheck?: boolean;
  readonly tsconfig?: string;
}

export function addJobFlags(command: Command): Command {
  return command
    .option('--conf <key=value>', 'overrides an option of the job; may be repeated', collect)
    .option(
      '--env <NAME=value>',
      'environment of the job (NAME alone: as it is here); may be repeated',
      collect,
    )
    .option('--external <package>', 'not bundled: installed on hosts and executors; may be repeated', collect)
    .option('--typecheck', 'check the types, too, with the TypeScript that the job has installed')
    .option('--tsconfig <path>', 'the project for --typecheck; default: the nearest tsconfig.json');
}

interface JobSettings {
  readonly config: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  /** One sentence each. */
  readonly problems: readonly string[];
}

export async function jobSettings(given: JobFlags, env: Environment): Promise<JobSettings> {
  const conf = parseAssignments('--conf', given.conf ?? []);
  const environment = parseAssignments('--env', given.env ?? [], env);
  return {
    config: conf.values,
    environment: environment.values,
    problems: [...conf.problems, ...environment.problems, ...(await checkOverrides(conf.values))],
  };
}

export function packOptions(
  { external: externals = [], typecheck = false, tsconfig }: JobFlags,
  cwd: string,
): PackOptions {
  return { cwd, externals, typecheck, tsconfig };
}
