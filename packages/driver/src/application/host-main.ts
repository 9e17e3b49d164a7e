import { millraceResolveHook } from '@millrace/closures';
import { createLogger, systemClock, systemRandom } from '@millrace/common';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';
import { ApplicationHost } from './application-host.ts';

// The entry of an application host process. All that it needs is imported above, before 'ready': a spare host is warm.

/** Exit code of a host whose driver is gone: nobody reads it. */
const DRIVER_LOST = 3;
const FLUSH_TIMEOUT_MS = 2_000;

const channel = process.send?.bind(process);
let unsent = 0;
let exitCode: number | undefined;

function send(message: HostToDriver): void {
  unsent++;
  channel?.(message, undefined, undefined, () => {
    unsent--;
    if (unsent === 0 && exitCode !== undefined) process.exit(exitCode);
  });
}

function exit(code: number): void {
  exitCode ??= code;
  if (unsent === 0) process.exit(exitCode);
  // A driver that does not read is no reason to stay.
  systemClock.schedule(FLUSH_TIMEOUT_MS, () => process.exit(exitCode));
}

// Standard error is the job's: only what an operator must know goes there.
const logger = createLogger({ name: 'host', level: 'warn', format: 'json' });

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
