import { millraceResolveHook } from '@millrace/closures';
import { createLogger, systemClock, systemRandom } from '@millrace/common';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';
import { ApplicationHost } from './application-host.ts';

// The entry of an application host process. All that it needs is imported above, before 'ready': a spare host is warm.

/** Exit code of a host whose driver is gone: nobody reads it. */
const DRIVER_LOST = 3;
/** A driver reads 5 MB/s of what a job prints. */
const FLUSH_TIMEOUT_MS = 5_000;

const channel = process.send?.bind(process);
// A pipe is written to asynchronously by default: a job that calls process.exit, or fills its heap, would lose its last words.
for (const stream of [process.stdout, process.stderr]) {
  const { _handle: handle } = stream as { readonly _handle?: { setBlocking?(blocking: boolean): void } };
  handle?.setBlocking?.(true);
}

let unsent = 0;
let exitCode: number | undefined;

function send(message: HostToDriver): void {
  unsent++;
  channel?.(message, undefined, undefined, sent);
}

function sent(): void {
  unsent--;
  if (unsent === 0 && exitCode !== undefined) process.exit(exitCode);
}

/** Ends the process when its messages, and what the job has printed, are on their way. */
function exit(code: number): void {
  if (exitCode !== undefined) return;
  exitCode = code;
  for (const stream of [process.stdout, process.stderr]) {
    unsent++;
    stream.write('', sent);
  }
  // A driver that does not read is no reason to stay.
  systemClock.schedule(FLUSH_TIMEOUT_MS, () => process.exit(exitCode));
}

// The driver gives the engine's log a pipe of its own: standard output and error are the job's. Without one (a check), standard error.
const logger = createLogger({
  name: 'host',
  level: 'warn',
  format: 'json',
  fd: Number(process.argv[2] ?? 2),
});

const host = new ApplicationHost({
  clock: systemClock,
  random: systemRandom,
  logger,
  send,
  exit,
  setEnvironment(environment) {
    Object.assign(process.env, environment);
    millraceResolveHook({ parentUrl: import.meta.url });
  },
});

process.on('message', (message) => host.receive(message as DriverToHost));
process.on('disconnect', () => process.exit(DRIVER_LOST));
process.on('uncaughtException', (error) => host.uncaught(error));
process.on('unhandledRejection', (reason) => host.uncaught(reason));
// They reach the whole process group: the driver decides what becomes of its applications.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

if (channel) send({ kind: 'ready' });
else logger.fatal('this process is started by a driver, with an IPC channel');
