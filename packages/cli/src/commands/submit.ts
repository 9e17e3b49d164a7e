import { integer, optional, text } from '@millrace/common';
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { FOLLOW_SCHEMA, followAccepted } from '../client/follow-accepted.ts';
import { withClient } from '../client/with-client.ts';
import { addJobFlags, type JobFlags, jobSettings, packOptions } from '../job/job-flags.ts';
import { addOutputFlags, clusterSchema, type OutputFlags } from '../options/cluster-options.ts';
import { addFlags, resolveFlags } from '../options/flags.ts';
import { reporterOf } from '../render/application-reporter.ts';

const SCHEMA = {
  ...clusterSchema(60_000),
  name: optional(text({ doc: "the application's name; default: the job's own" })),
  batches: optional(integer({ doc: 'stop after so many batches (as --conf batches=n)', unit: 'n', min: 1 })),
  ...FOLLOW_SCHEMA,
};

interface SubmitFlags extends JobFlags, OutputFlags, Readonly<Record<string, unknown>> {
  readonly detach?: boolean;
  readonly startAnew?: boolean;
  readonly withNewProgram?: boolean;
}

export function addSubmit(program: Command, cli: CliContext): void {
  const described = program
    .command('submit <job>')
    .description('bundle a job module, check it, send it to the driver, and show its batches');
  const command = addJobFlags(described)
    .option('--detach', 'print the name and leave the application running')
    .option(
      '--start-anew',
      'set its log of offsets aside; each stream begins at its offsets, its consumer group, or startFrom',
    )
    .option(
      '--with-new-program',
      'a batch that an earlier program has planned runs with this one; default: with its own, first',
    )
    .action((job: string, given: SubmitFlags) => submit(cli, job, given));
  addOutputFlags(addFlags(command, SCHEMA), 'events as JSON lines on standard output');
}

async function submit(cli: CliContext, job: string, given: SubmitFlags): Promise<void> {
  const { problems, ...settings } = await jobSettings(given, cli.env);
  const flags = resolveFlags(SCHEMA, given, cli.env, { problems });
  const quiet = given.quiet === true;
  const reporter = reporterOf(cli.terminal, given);
  const started = cli.clock.monotonic();
  const { packJob } = await import('../job/pack-job.ts');
  const packed = await packJob(job, packOptions(given, cli.cwd));
  if (given.verbose === true) {
    const tookMs = Math.round(cli.clock.monotonic() - started);
    reporter.progress(
      `bundled ${job}: ${packed.archive.length} bytes in ${tookMs} ms (${packed.programHash})`,
    );
  }
  await withClient(cli, { ...flags, quiet }, async (client) => {
    const { config, environment } = settings;
    const { batches } = flags;
    const request = {
      ...packed,
      config: batches === undefined ? config : { ...config, batches: String(batches) },
      environment,
      name: flags.name,
      startAnew: given.startAnew === true,
      withNewProgram: given.withNewProgram === true,
    };
    const accepted = await client.submit(request, cli.interrupts.signal);
    await followAccepted(cli, client, reporter, accepted, { ...given, ...flags });
  });
}
