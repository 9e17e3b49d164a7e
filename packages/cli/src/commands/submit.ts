import { integer, optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { FOLLOW_SCHEMA, followAccepted } from '../client/follow-accepted.ts';
import { withClient } from '../client/with-client.ts';
import { checkOverrides } from '../job/job-overrides.ts';
import { collect, parseAssignments } from '../options/assignments.ts';
import { addOutputFlags, clusterSchema, type OutputFlags } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { jsonReporter, textReporter } from '../render/application-reporter.ts';

const SCHEMA = {
  ...clusterSchema(60_000),
  name: optional(text({ doc: "the application's name; default: the job's own" })),
  batches: optional(integer({ doc: 'stop after so many batches (as --conf batches=n)', unit: 'n', min: 1 })),
  ...FOLLOW_SCHEMA,
};

interface SubmitFlags extends OutputFlags, Readonly<Record<string, unknown>> {
  readonly conf?: readonly string[];
  readonly env?: readonly string[];
  readonly external?: readonly string[];
  readonly detach?: boolean;
  readonly startAnew?: boolean;
  readonly withNewProgram?: boolean;
  readonly typecheck?: boolean;
  readonly tsconfig?: string;
}

export function addSubmit(program: Command, cli: CliContext): void {
  const command = program
    .command('submit <job>')
    .description('bundle a job module, check it, send it to the driver, and show its batches')
    .option('--conf <key=value>', 'overrides an option of the job; may be repeated', collect)
    .option(
      '--env <NAME=value>',
      'environment of the job (NAME alone: as it is here); may be repeated',
      collect,
    )
    .option('--external <package>', 'not bundled: installed on hosts and executors; may be repeated', collect)
    .option('--detach', 'print the name and leave the application running')
    .option('--start-anew', 'set its log of offsets aside, and begin where its stream options say')
    .option(
      '--with-new-program',
      'a batch that an earlier program has planned runs with this one; default: with its own, first',
    )
    .option('--typecheck', 'check the types first, with the TypeScript that the job has installed')
    .option('--tsconfig <path>', 'the project for --typecheck; default: the nearest tsconfig.json')
    .action((job: string, given: SubmitFlags) => submit(cli, job, given));
  addOutputFlags(addFlags(command, SCHEMA), 'events as JSON lines on standard output');
}

async function submit(cli: CliContext, job: string, given: SubmitFlags): Promise<void> {
  const conf = parseAssignments('--conf', given.conf ?? []);
  const environment = parseAssignments('--env', given.env ?? [], cli.env);
  const problems = [...conf.problems, ...environment.problems, ...(await checkOverrides(conf.values))];
  const flags = resolveFlags(SCHEMA, given, cli.env, { problems });
  const { terminal } = cli;
  const quiet = given.quiet === true;
  const reporter =
    given.json === true
      ? jsonReporter(terminal, { quiet })
      : textReporter(terminal, { quiet, verbose: given.verbose === true });
  const started = cli.clock.monotonic();
  const { packJob } = await import('../job/pack-job.ts');
  const packed = await packJob(job, {
    cwd: cli.cwd,
    externals: given.external ?? [],
    typecheck: given.typecheck === true,
    tsconfig: given.tsconfig,
  });
  if (given.verbose === true) {
    const tookMs = Math.round(cli.clock.monotonic() - started);
    reporter.progress(
      `bundled ${job}: ${packed.archive.length} bytes in ${tookMs} ms (${packed.programHash})`,
    );
  }
  await withClient(cli, { ...flags, quiet }, async (client) => {
    const config =
      flags.batches === undefined ? conf.values : { ...conf.values, batches: String(flags.batches) };
    const request = {
      ...packed,
      config,
      environment: environment.values,
      name: flags.name,
      startAnew: given.startAnew === true,
      withNewProgram: given.withNewProgram === true,
    };
    const accepted = await client.submit(request, cli.interrupts.signal);
    await followAccepted(cli, client, reporter, accepted, { ...given, ...flags });
  });
}
