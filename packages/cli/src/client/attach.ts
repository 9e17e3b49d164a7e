import { MillraceError } from '@millrace/common';
import type { CliContext } from '../cli-context.ts';
import { EXIT, type ExitCode, exitCodeOf, jobFailureExitCode } from '../exit-codes.ts';
import type { ApplicationReporter } from '../render/application-reporter.ts';
import { isFinalState } from './application-event.ts';
import type { ClusterClient } from './cluster-client.ts';
import { followEvents } from './follow-events.ts';

// The final event of an application that has stopped is on its way: this is enough for it.
const FAREWELL_MS = 3_000;

export interface AttachOptions {
  readonly application: string;
  readonly afterSequence: number;
  readonly reconnectMs: number;
  /** How long a drain that Ctrl-C asked for may take. */
  readonly drainMs: number;
}

/**
 * Shows an application until it ends. The first Ctrl-C asks it to drain, the second to stop now.
 * Returns the exit code of its end; a driver that stays away throws DRIVER_UNREACHABLE.
 */
export async function attach(
  cli: CliContext,
  client: ClusterClient,
  reporter: ApplicationReporter,
  options: AttachOptions,
): Promise<ExitCode> {
  const { application } = options;
  const leave = new AbortController();
  const failure: { error?: MillraceError } = {};
  const unlisten = cli.interrupts.listen((count) => {
    const mode = count === 1 ? 'DRAIN' : 'NOW';
    reporter.progress(
      count === 1
        ? `asking ${application} to finish its batch and stop (again: stop now)`
        : `asking ${application} to stop now (again: leave it)`,
    );
    client.stop(application, mode, options.drainMs).then(
      () => void cli.clock.schedule(FAREWELL_MS, () => leave.abort(), { unref: true }),
      (error: unknown) => {
        failure.error = MillraceError.from(error, 'INTERNAL');
        // A drain that takes too long may still be cut short by the second Ctrl-C.
        if (mode === 'NOW' || failure.error.code !== 'DEADLINE_EXCEEDED') leave.abort();
        else reporter.progress(`${application} has not finished its batch within ${options.drainMs} ms`);
      },
    );
  });
  try {
    const events = followEvents({
      ...options,
      clock: cli.clock,
      signal: leave.signal,
      reach: (ms) => client.reach(ms),
      open: (after, signal) => client.events(application, after, signal),
      state: () => client.status(application),
      onLost: (error) => reporter.progress(`lost the driver (${error.what}); reconnecting`),
      onResumed: () => reporter.progress('the driver is back'),
    });
    for await (const event of events) {
      reporter.event(event);
      if (event.kind !== 'state' || !isFinalState(event.state)) continue;
      const error = event.error && MillraceError.fromRecord(event.error);
      // Stopped with an error: as asked, but with its batch unfinished.
      if (event.state === 'STOPPED') return error ? exitCodeOf(error) : EXIT.ok;
      return error ? jobFailureExitCode(error) : EXIT.jobFailed;
    }
    // Left early: stopped without a farewell, or it could not be asked.
    if (failure.error) throw failure.error;
    return EXIT.ok;
  } finally {
    unlisten();
    leave.abort();
  }
}
