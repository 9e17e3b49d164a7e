import { duration, optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { checkOverrides } from '../job/job-overrides.ts';
import { collect, parseAssignments } from '../options/assignments.ts';
import { addOutputFlags, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';

const SCHEMA = {
  name: optional(text({ doc: "the application's name; default: the job's own" })),
  timeout: duration({ doc: 'how long the whole check may take', default: 60_000, min: 1 }),
};

interface CheckFlags extends OutputFlags, Readonly<Record<string, unknown>> {
  readonly conf?: readonly string[];
  readonly env?: readonly string[];
  readonly external?: readonly string[];
  readonly typecheck?: boolean;
}

export function addCheck(program: Command, cli: CliContext): void {
  const command = program
    .command('check <job>')
    .description('make every check of a job without running it: bundle, types, lambdas, options, topics')
    .option('--conf <key=value>', 'overrides an option of the job; may be repeated', collect)
    .option(
      '--env <NAME=value>',
      'environment of the job (NAME alone: as it is here); may be repeated',
      collect,
    )
    .option('--external <package>', 'not bundled: installed on hosts and executors; may be repeated', collect)
    .option('--typecheck', 'check the types, too, with the TypeScript that the job has installed')
    .action((job: string, given: CheckFlags) => check(cli, job, given));
  addOutputFlags(addFlags(command, SCHEMA), 'one JSON document on standard output');
}

async function check(cli: CliContext, job: string, given: CheckFlags): Promise<void> {
  const conf = parseAssignments('--conf', given.conf ?? []);
  const environment = parseAssignments('--env', given.env ?? [], cli.env);
  const problems = [...conf.problems, ...environment.problems, ...(await checkOverrides(conf.values))];
  const flags = resolveFlags(SCHEMA, given, cli.env, problems);
  const [{ packJob }, { checkJob }] = await Promise.all([
    import('../job/pack-job.ts'),
    import('../job/check-job.ts'),
  ]);
  const unlisten = cli.interrupts.listen(() => undefined);
  try {
    const externals = given.external ?? [];
    const packed = await packJob(job, { cwd: cli.cwd, externals, typecheck: given.typecheck === true });
    const checked = await checkJob(packed, {
      config: conf.values,
      environment: environment.values,
      name: flags.name,
      timeoutMs: flags.timeout,
      clock: cli.clock,
      signal: cli.interrupts.signal,
      output: (printed) => {
        if (given.quiet !== true) cli.terminal.err(printed);
      },
    });
    const { application, batchIntervalMs, notes } = checked;
    const { programHash } = packed;
    if (given.json === true)
      writeJson(cli, { kind: 'checked', application, batchIntervalMs, notes, programHash });
    else {
      const lines = [`${job} is sound: ${application}, a batch every ${batchIntervalMs} ms`, ...notes];
      cli.terminal.out(`${lines.join('\n')}\n`);
    }
  } finally {
    unlisten();
  }
}
