import { duration } from '@millrace/common';
import type { Accepted } from '@millrace/proto';
import type { CliContext } from '../cli-context.ts';
import { writeJson } from '../options/cluster-options.ts';
import type { ApplicationReporter } from '../render/application-reporter.ts';
import { attach } from './attach.ts';
import type { ClusterClient } from './cluster-client.ts';

/** Flags of commands that start an application. */
export const FOLLOW_SCHEMA = {
  reconnectTimeout: duration({
    doc: 'how long the driver may be away while attached',
    default: 120_000,
    max: 24 * 3_600_000,
  }),
  drainTimeout: duration({
    doc: 'how long the application may take to end after Ctrl-C',
    default: 60_000,
    min: 1,
    max: 24 * 3_600_000,
  }),
};

export interface FollowFlags {
  readonly detach?: boolean;
  readonly json?: boolean;
  readonly reconnectTimeout: number;
  readonly drainTimeout: number;
}

/** Of an application that runs now: leaves it running, or shows it until it ends, with its exit code. */
export async function followAccepted(
  cli: CliContext,
  client: ClusterClient,
  reporter: ApplicationReporter,
  { application, epoch, eventSequence, notes }: Accepted,
  flags: FollowFlags,
): Promise<void> {
  if (flags.detach === true) {
    // Who stays attached sees them as events.
    for (const note of notes) reporter.progress(note);
    if (flags.json === true) writeJson(cli, { kind: 'accepted', application, epoch });
    else cli.terminal.out(`${application}\n`);
    return;
  }
  const exitCode = await attach(cli, client, reporter, {
    application,
    afterSequence: eventSequence,
    reconnectMs: flags.reconnectTimeout,
    drainMs: flags.drainTimeout,
  });
  cli.setExitCode(exitCode);
}
