import { MillraceError } from '@millrace/common';
import {
  type ApplicationEventInit,
  type ApplicationStatusInit,
  createWireServer,
  errorToWire,
  type OffsetsReplyInit,
  type OffsetsRequestInit,
  SUBMISSION,
  type SubmissionHandlers,
  type SubmitHeader,
  unaryHandler,
} from '@millrace/proto';

/** What a test makes the driver answer. */
export interface FakeDriverScript {
  readonly port?: number;
  readonly token?: string;
  readonly applications?: readonly ApplicationStatusInit[];
  readonly refuse?: MillraceError;
  /** Events of "views" that exist from the start. */
  readonly events?: readonly ApplicationEventInit[];
  readonly offsets?: (request: OffsetsRequestInit) => OffsetsReplyInit;
  /** Lines of the log of offsets. */
  readonly offsetLog?: readonly string[];
  /** What a stop adds to the events. */
  readonly onStop?: (mode: string) => readonly ApplicationEventInit[];
}

export interface FakeDriver {
  readonly address: string;
  readonly submitted: readonly { readonly header: SubmitHeader; readonly bytes: number }[];
  readonly rollbacks: readonly unknown[];
  readonly stops: readonly string[];
  /** Resolves when somebody follows the events. */
  readonly followed: Promise<void>;
  /** Resolves when a stop of this mode was asked for. */
  stopped(mode: string): Promise<void>;
  close(): Promise<void>;
}

/** The Submission service alone, on a real port: it answers by script. */
export async function startFakeDriver(script: FakeDriverScript): Promise<FakeDriver> {
  const wire = createWireServer({ host: '127.0.0.1', port: script.port ?? 0, token: script.token });
  const submitted: { header: SubmitHeader; bytes: number }[] = [];
  const rollbacks: unknown[] = [];
  const stops: string[] = [];
  const events = [...(script.events ?? [])];
  const followed = Promise.withResolvers<void>();
  const asked: Readonly<Record<string, PromiseWithResolvers<void>>> = {
    DRAIN: Promise.withResolvers<void>(),
    NOW: Promise.withResolvers<void>(),
    KILL: Promise.withResolvers<void>(),
  };
  let wake: () => void = () => undefined;
  const status = (application: string): ApplicationStatusInit | undefined =>
    script.applications?.find((known) => known.application === application);
  const unknown = (application: string): MillraceError =>
    new MillraceError('APPLICATION_UNKNOWN', `no application is called "${application}"`);

  const handlers: SubmissionHandlers = {
    Submit(call, callback) {
      let header: SubmitHeader | undefined;
      let bytes = 0;
      call.on('data', (message: { header?: SubmitHeader | null; bundle?: Uint8Array }) => {
        if (message.header) header = message.header;
        else bytes += message.bundle?.length ?? 0;
      });
      call.on('end', () => {
        if (header) submitted.push({ header, bytes });
        if (script.refuse) callback(null, { error: errorToWire(script.refuse) });
        else
          callback(null, {
            accepted: { application: 'views', epoch: 1, eventSequence: 0, notes: ['a note'] },
          });
      });
    },
    Rollback: unaryHandler((request) => {
      rollbacks.push(request);
      return {
        accepted: { application: request.application, epoch: 2, eventSequence: 0, notes: ['a note'] },
      };
    }),
    Status: unaryHandler(({ application }) => {
      const found = status(application);
      if (!found) throw unknown(application);
      return found;
    }),
    List: (_call, callback) =>
      callback(null, { applications: [...(script.applications ?? [])], executors: [] }),
    Stop(call, callback) {
      const { application, mode } = call.request;
      stops.push(mode);
      asked[mode]?.resolve();
      events.push(...(script.onStop?.(mode) ?? []));
      wake();
      const found = status(application) ?? (application === 'views' ? { application } : undefined);
      if (found) callback(null, { status: { ...found, state: 'STOPPED' } });
      else callback(null, { error: errorToWire(unknown(application)) });
    },
    Events(call) {
      let at = 0;
      wake = () => {
        for (; at < events.length; at++) {
          const event = events[at];
          if (event && Number(event.sequence) > call.request.afterSequence) call.write(event);
        }
      };
      wake();
      followed.resolve();
    },
    Logs(call) {
      for (let line = 1; line <= call.request.tail; line++) call.write({ line: `line ${line}` });
      if (!call.request.follow) call.end();
    },
    Offsets: unaryHandler(
      (request) => script.offsets?.(request) ?? { error: errorToWire(unknown(request.application)) },
    ),
    OffsetLog(call) {
      for (const line of (script.offsetLog ?? []).slice(-call.request.tail)) call.write({ line });
      call.end();
    },
  };
  wire.server.addService(SUBMISSION, handlers);
  const port = await wire.listen();
  return {
    address: `127.0.0.1:${port}`,
    submitted,
    rollbacks,
    stops,
    followed: followed.promise,
    stopped: async (mode) => asked[mode]?.promise,
    close: () => wire.close(100),
  };
}
