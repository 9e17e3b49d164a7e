import { type Clock, type Logger, MillraceError, withDeadline } from '@millrace/common';
import {
  checkHello,
  collectChunks,
  type ExecutorStatusInit,
  errorToWire,
  failCall,
  type OffsetsReplyInit,
  type StopReplyInit,
  type SubmissionHandlers,
  type SubmitHeader,
  type SubmitMessage,
  type SubmitReplyInit,
  unaryHandler,
} from '@millrace/proto';
import { statusToWire } from './application-wire.ts';
import type { Applications, SubmitRequest } from './applications.ts';
import { changeFromWire, reportToWire } from './offsets-wire.ts';
import type { StopMode } from './phase.ts';
import { callerGone } from './server-stream.ts';
import { streamEvents, streamLogs, streamOffsetLog } from './watch-streams.ts';

export interface SubmissionServiceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly applications: Applications;
  readonly executors: () => readonly ExecutorStatusInit[];
  readonly bundleBytesMax: number;
  readonly uploadTimeoutMs: number;
  /** When the caller names none. */
  readonly stopTimeoutMs: number;
}

// Each holds its program in memory and a host process.
const SUBMISSIONS_AT_ONCE_MAX = 8;
const STOP_TIMEOUT_MS_MAX = 3_600_000;
const CONFIG_CHARS_MAX = 1024 * 1024;

/** What clients call. */
export function submissionHandlers(options: SubmissionServiceOptions): SubmissionHandlers {
  const { applications, logger, clock } = options;
  let submissions = 0;

  async function submit(call: AsyncIterable<SubmitMessage> & NodeJS.EventEmitter): Promise<SubmitReplyInit> {
    const gone = callerGone(call);
    const left = Promise.withResolvers<never>();
    left.promise.catch(() => undefined);
    gone.addEventListener('abort', () => left.reject(new MillraceError('CANCELLED', 'the client left')));
    const upload = readSubmission(call, options.bundleBytesMax, applications);
    const request = await Promise.race([
      withDeadline(upload, options.uploadTimeoutMs, 'the upload of the program', clock),
      left.promise,
    ]);
    return acceptance(await applications.submit(request));
  }

  async function orRefuse(answer: () => Promise<SubmitReplyInit>): Promise<SubmitReplyInit> {
    if (submissions >= SUBMISSIONS_AT_ONCE_MAX) return { error: errorToWire(tooMany(submissions)) };
    submissions++;
    try {
      return await answer();
    } catch (error) {
      logger.warn({ err: error }, 'submission refused');
      return { error: errorToWire(error) };
    } finally {
      submissions--;
    }
  }

  return {
    Submit(call, callback) {
      const answer = async (): Promise<void> => callback(null, await orRefuse(() => submit(call)));
      void answer();
    },
    Rollback: unaryHandler(({ application, to, withNewProgram }) =>
      orRefuse(async () => acceptance(await applications.rollback(application, { to, withNewProgram }))),
    ),
    Status: unaryHandler(({ application }) => statusToWire(applications.get(application))),
    List: unaryHandler(() => ({
      applications: applications.list().map(statusToWire),
      executors: [...options.executors()],
    })),
    Stop: unaryHandler(async ({ application, mode, timeoutMs }): Promise<StopReplyInit> => {
      try {
        const found = applications.get(application);
        const timeout = timeoutMs === 0 ? options.stopTimeoutMs : Math.min(timeoutMs, STOP_TIMEOUT_MS_MAX);
        await found.stop(mode.toLowerCase() as StopMode, timeout);
        return { status: statusToWire(found) };
      } catch (error) {
        return { error: errorToWire(error) };
      }
    }),
    Events(call) {
      streamEvents(call, applications).catch((error: unknown) => failCall(call, error));
    },
    Logs(call) {
      streamLogs(call, applications).catch((error: unknown) => failCall(call, error));
    },
    Offsets: unaryHandler(async ({ application, change, execute, ends }): Promise<OffsetsReplyInit> => {
      try {
        const edit = { execute, ends, ...(change && { change: changeFromWire(change) }) };
        return { report: reportToWire(await applications.offsets(application, edit)) };
      } catch (error) {
        logger.warn({ err: error, application }, 'offsets refused');
        return { error: errorToWire(error) };
      }
    }),
    OffsetLog(call) {
      streamOffsetLog(call, applications).catch((error: unknown) => failCall(call, error));
    },
  };
}

function acceptance({
  application,
  epoch,
  eventSequence,
  notes,
}: Awaited<ReturnType<Applications['submit']>>): SubmitReplyInit {
  return { accepted: { application, epoch, eventSequence, notes: [...notes] } };
}

/** @throws MillraceError BAD_REQUEST, VERSION_MISMATCH, MESSAGE_TOO_LARGE, APPLICATION_EXISTS: before the program is read. */
async function readSubmission(
  messages: AsyncIterable<SubmitMessage>,
  bytesMax: number,
  applications: Applications,
): Promise<SubmitRequest> {
  const incoming = messages[Symbol.asyncIterator]();
  const first = await incoming.next();
  const header = first.done === true ? undefined : first.value.header;
  if (!header) throw new MillraceError('BAD_REQUEST', 'the first message of a submission must be its header');
  checkHello(header.hello, 'this client');
  if (header.bundleBytes > bytesMax) throw tooLarge(header.bundleBytes, bytesMax);
  const { name } = header;
  if (name !== '') applications.assertFree(name);
  const config = parseConfig(header);
  checkEnvironment(header.environment);
  const archive = await collectChunks(bundleChunks(incoming), {
    bytesMax,
    sha256: header.programHash,
    what: 'the program',
  });
  return {
    name: name === '' ? undefined : name,
    programHash: header.programHash,
    archive,
    config,
    environment: header.environment,
    anew: header.startAnew,
    withNewProgram: header.withNewProgram,
  };
}

async function* bundleChunks(incoming: AsyncIterator<SubmitMessage>): AsyncGenerator<Uint8Array> {
  for (let next = await incoming.next(); next.done !== true; next = await incoming.next()) {
    if (!next.value.bundle)
      throw new MillraceError('BAD_REQUEST', 'a submission has one header, then its program');
    yield next.value.bundle;
  }
}

function parseConfig({ configJson }: SubmitHeader): Readonly<Record<string, unknown>> {
  if (configJson === '') return {};
  try {
    const parsed: unknown = configJson.length > CONFIG_CHARS_MAX ? undefined : JSON.parse(configJson);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new MillraceError('BAD_REQUEST', 'the configuration of a submission must be a JSON object');
}

function checkEnvironment(environment: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (/^[^=\0]+$/.test(name) && !value.includes('\0')) continue;
    throw new MillraceError('BAD_REQUEST', `${JSON.stringify(name)} is no environment variable`);
  }
}

function tooMany(submissions: number): MillraceError {
  return new MillraceError('BAD_REQUEST', `${submissions} submissions are in progress`, {
    retryable: true,
    remedy: 'Try again in a few seconds.',
  });
}

function tooLarge(bytes: number, bytesMax: number): MillraceError {
  return new MillraceError('MESSAGE_TOO_LARGE', `the program has ${bytes} bytes; ${bytesMax} are allowed`, {
    remedy: 'Read large data at run time instead of importing it, or raise bundleBytesMax of the driver.',
    details: { bytes, bytesMax },
  });
}
