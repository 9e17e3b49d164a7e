import type { JobWarning } from '@millrace/closures';
import { duration, MillraceError, optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { addJobFlags, type JobFlags, jobSettings, packOptions } from '../job/job-flags.ts';
import { addOutputFlags, type OutputFlags, writeJson } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { type CheckReport, printReport, reportJson } from '../render/check-report.ts';

const SCHEMA = {
  name: optional(text({ doc: "the application's name; default: the job's own" })),
  timeout: duration({ doc: 'how long the whole check may take', default: 60_000, min: 1 }),
};

interface CheckFlags extends JobFlags, OutputFlags, Readonly<Record<string, unknown>> {}

export function addCheck(program: Command, cli: CliContext): void {
  const command = program
    .command('check <job>')
    .description('make every check of a job without running it: bundle, types, lambdas, options, topics')
    .action((job: string, given: CheckFlags) => check(cli, job, given));
  addOutputFlags(addFlags(addJobFlags(command), SCHEMA), 'one JSON document on standard output');
}

async function check(cli: CliContext, job: string, given: CheckFlags): Promise<void> {
  const { problems, ...settings } = await jobSettings(given, cli.env);
  const flags = resolveFlags(SCHEMA, given, cli.env, { problems });
  const report = await reportOf(cli, job, given, {
    ...settings,
    name: flags.name,
    timeoutMs: flags.timeout,
  });
  if (given.json === true) writeJson(cli, reportJson(report));
  if (given.json !== true || report.outcome.kind === 'refused')
    printReport(report, cli.terminal, { verbose: given.verbose === true });
  if (report.outcome.kind === 'refused') cli.setExitCode(exitCodeOf(report.outcome.error));
}

interface CheckInput {
  readonly config: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  readonly timeoutMs: number;
}

async function reportOf(
  cli: CliContext,
  job: string,
  given: CheckFlags,
  input: CheckInput,
): Promise<CheckReport> {
  const [{ packJob }, { checkJob }] = await Promise.all([
    import('../job/pack-job.ts'),
    import('../job/check-job.ts'),
  ]);
  const warnings: JobWarning[] = [];
  const unlisten = cli.interrupts.listen(() => undefined);
  try {
    const packed = await packJob(job, packOptions(given, cli.cwd));
    const checked = await checkJob(packed, {
      ...input,
      clock: cli.clock,
      signal: cli.interrupts.signal,
      output: (printed) => {
        if (given.quiet !== true) cli.terminal.err(printed);
      },
      verbose: given.verbose === true,
      warn: (warning) => void warnings.push(warning),
    });
    return { job, outcome: { kind: 'sound', checked, programHash: packed.programHash }, warnings };
  } catch (error) {
    if (!MillraceError.is(error)) throw error;
    return { job, outcome: { kind: 'refused', error }, warnings };
  } finally {
    unlisten();
  }
}
