import type { CliContext } from '../cli-context.ts';

// A graceful end has its own bounds inside; this one guards against a bug in them.
const STOP_MS_MAX = 120_000;

export interface Service {
  /** Ends it gracefully, in bounded time. */
  stop(): Promise<void>;
  /** Settles when the service ended by itself. */
  readonly ended?: Promise<void>;
}

/**
 * Keeps the process running until SIGINT or SIGTERM ends the service, or it ends by itself. The first signal stops it gracefully;
 * the second leaves it as it is: the process ends at once.
 */
export async function untilInterrupted(cli: CliContext, service: Service): Promise<void> {
  const done = Promise.withResolvers<void>();
  const unlisten = cli.interrupts.listen((count) => {
    if (count > 1) return done.resolve();
    cli.clock.schedule(STOP_MS_MAX, () => done.resolve(), { unref: true });
    service.stop().then(done.resolve, done.reject);
  });
  service.ended?.then(done.resolve, done.reject);
  try {
    await done.promise;
  } finally {
    unlisten();
  }
}
