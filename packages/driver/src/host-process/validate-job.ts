import { type Clock, MillraceError } from '@millrace/common';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';
import { type HostProcess, hostLost } from './host-process.ts';

/** A host that evaluated a job module, found nothing wrong, and waits to be granted its name. */
export interface ValidatedJob {
  readonly host: HostProcess;
  readonly application: string;
  readonly notes: readonly string[];
  /** What the module printed meanwhile. */
  readonly output: readonly (readonly [line: string, error: boolean])[];
}

export interface ValidateOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborted: the host is killed. */
  readonly signal?: AbortSignal;
}

const OUTPUT_LINES_MAX = 200;
const SHOWN_LINES = 10;

/**
 * Has a host evaluate and check a job. On any failure the host is killed.
 * @throws MillraceError: the job's own refusal, HOST_LOST, HOST_UNRESPONSIVE, DEADLINE_EXCEEDED, or the signal's reason.
 */
export async function validateJob(
  host: HostProcess,
  start: Extract<DriverToHost, { kind: 'start' }>,
  options: ValidateOptions,
): Promise<ValidatedJob> {
  const { clock, timeoutMs, signal } = options;
  const output: [line: string, error: boolean][] = [];
  const answer = Promise.withResolvers<Extract<HostToDriver, { kind: 'validated' }>>();
  const fail = (error: unknown): void => answer.reject(error);
  host.listen({
    message(message) {
      if (message.kind === 'validated') answer.resolve(message);
      else if (message.kind === 'refused') fail(MillraceError.fromRecord(message.error));
    },
    output(line, error) {
      if (output.push([line, error]) > OUTPUT_LINES_MAX) output.shift();
    },
    exited: (exit) => fail(withOutput(hostLost(exit, host.pid), output)),
  });
  const late = clock.schedule(timeoutMs, () =>
    fail(
      new MillraceError('DEADLINE_EXCEEDED', `the job was not evaluated and checked within ${timeoutMs} ms`, {
        remedy: 'Look for something slow at the top level of the job module, or raise jobStartTimeoutMs.',
      }),
    ),
  );
  const abort = (): void => fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    signal?.throwIfAborted();
    host.send(start);
    const { application, notes } = await answer.promise;
    return { host, application, notes, output };
  } catch (error) {
    host.kill();
    throw error;
  } finally {
    late.cancel();
    signal?.removeEventListener('abort', abort);
  }
}

/** A module that kills its process mostly says why on its standard error. */
function withOutput(error: MillraceError, output: readonly (readonly [string, boolean])[]): MillraceError {
  const last = output.slice(-SHOWN_LINES).map(([line]) => line.slice(0, 300));
  if (last.length === 0) return error;
  const { code, what, details } = error;
  return new MillraceError(code, `${what}; its last output:\n${last.join('\n')}`, { details });
}
