import { type Clock, MillraceError, type Timer } from '@millrace/common';
import type { ApplicationEvent } from '../application-events.ts';
import type { DriverToHost, HostToDriver } from '../host-protocol.ts';
import { type HostProcess, hostLost } from './host-process.ts';
import type { HostLine } from './output-lines.ts';

export type Notice = Extract<ApplicationEvent, { kind: 'notice' }>;

export interface HostAnswer<Kind extends HostToDriver['kind']> {
  readonly answer: Extract<HostToDriver, { kind: Kind }>;
  /** What the job had to say besides. */
  readonly notices: readonly Notice[];
  /** What the module printed meanwhile. */
  readonly output: readonly HostLine[];
}

export interface HostAnswerOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborted: the host is killed. */
  readonly signal?: AbortSignal;
}

const OUTPUT_LINES_MAX = 200;
const NOTICES_MAX = 100;
const SHOWN_LINES = 10;
/** A host that refused its job ends; what it printed is waited for so long. */
const OUTPUT_MS = 2_000;

/**
 * Has a host evaluate a job and answer. On any failure the host is killed.
 * @throws MillraceError: the job's own refusal, HOST_LOST, HOST_UNRESPONSIVE, DEADLINE_EXCEEDED, or the signal's reason.
 */
export async function hostAnswer<Kind extends HostToDriver['kind']>(
  host: HostProcess,
  request: DriverToHost,
  kind: Kind,
  options: HostAnswerOptions,
): Promise<HostAnswer<Kind>> {
  const { clock, timeoutMs, signal } = options;
  const output: HostLine[] = [];
  const notices: Notice[] = [];
  const answered = Promise.withResolvers<HostAnswer<Kind>['answer']>();
  const fail = (error: unknown): void => answered.reject(error);
  let refusal: MillraceError | undefined;
  let flushed: Timer | undefined;
  const refuse = (error: MillraceError): void => {
    if (error.code === 'JOB_EVALUATION_FAILED') {
      // What the module printed before it threw comes before the host is gone.
      refusal = error;
      flushed = clock.schedule(OUTPUT_MS, () => fail(error));
    } else {
      fail(error);
    }
  };
  host.listen({
    message(message) {
      if (isKind(message, kind)) answered.resolve(message);
      else if (message.kind === 'refused') refuse(MillraceError.fromRecord(message.error));
      else if (message.kind === 'event' && message.event.kind === 'notice' && notices.length < NOTICES_MAX)
        notices.push(message.event);
    },
    output(line) {
      if (output.push(line) > OUTPUT_LINES_MAX) output.shift();
    },
    exited: (exit) => fail(withOutput(refusal ?? hostLost(exit, host.pid), output)),
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
    host.send(request);
    return { answer: await answered.promise, notices, output };
  } catch (error) {
    host.kill();
    throw error;
  } finally {
    late.cancel();
    flushed?.cancel();
    signal?.removeEventListener('abort', abort);
  }
}

function isKind<Kind extends HostToDriver['kind']>(
  message: HostToDriver,
  kind: Kind,
): message is HostAnswer<Kind>['answer'] {
  return message.kind === kind;
}

/** A module that kills its process, or throws, mostly says why before it does. */
function withOutput(error: MillraceError, output: readonly HostLine[]): MillraceError {
  const printed = output.filter(({ source }) => source !== 'logger');
  // V8's report of a full heap says less than the error.
  if (printed.length === 0 || isOutOfMemory(error)) return error;
  const last = printed.slice(-SHOWN_LINES).map(({ text }) => text.slice(0, 300));
  const record = MillraceError.toRecord(error);
  const what = `${error.what}\nits last output:\n${last.join('\n')}`;
  // `millrace logs` has it, too, but of applications only that ran.
  return MillraceError.fromRecord({ ...record, what, ...(error.code === 'HOST_LOST' && { remedy: '' }) });
}

function isOutOfMemory({ code, details }: MillraceError): boolean {
  return code === 'HOST_LOST' && details['outOfMemory'] === true;
}
