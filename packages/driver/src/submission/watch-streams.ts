import type { ServerWritableStream } from '@grpc/grpc-js';
import type { ApplicationEventInit, LogLineInit } from '@millrace/proto';
import { isOver } from './application-state.ts';
import { eventToWire } from './application-wire.ts';
import type { Applications } from './applications.ts';
import { logLines } from './offsets-wire.ts';
import { callerGone, writeTo } from './server-stream.ts';

// Text that a slow reader of a followed log may be behind: what a tail may have, and as much again.
const BEHIND_CHARS_MAX = 4 * 1024 * 1024;
// What an entry costs besides its text.
const LINE_CHARS = 100;
const TAIL_LINES_MAX = 100_000;

interface EventsCall {
  readonly application: string;
  readonly afterSequence: number;
}

/** Events after a sequence, then those that come, until the application is over. @throws MillraceError APPLICATION_UNKNOWN. */
export async function streamEvents(
  call: ServerWritableStream<EventsCall, ApplicationEventInit>,
  applications: Applications,
): Promise<void> {
  const application = applications.get(call.request.application);
  const { name, journal } = application;
  const { events } = journal;
  const gone = callerGone(call);
  // One from the future (the clock was set back) would wait for ever.
  let at = Math.min(call.request.afterSequence, events.sequence);
  while (!gone.aborted) {
    const page = events.after(at);
    if (page.dropped > 0) {
      const first = page.events[0]?.sequence ?? events.sequence;
      const gap = {
        sequence: first - 1,
        at: page.events[0]?.at ?? 0,
        application: name,
        gap: { dropped: page.dropped },
      };
      if (!(await writeTo(call, gap, gone))) return;
      at = Math.max(at, first - 1);
    }
    for (const event of page.events) {
      if (!(await writeTo(call, eventToWire(name, event), gone))) return;
      at = event.sequence;
    }
    if (page.events.length > 0) continue;
    if (isOver(application.state)) break;
    await events.next(gone);
  }
  if (!gone.aborted) call.end();
}

interface LogsCall {
  readonly application: string;
  readonly follow: boolean;
  readonly tail: number;
}

/** The last lines of an application's log; followed, those that come until it is over. @throws MillraceError APPLICATION_UNKNOWN. */
export async function streamLogs(
  call: ServerWritableStream<LogsCall, LogLineInit>,
  applications: Applications,
): Promise<void> {
  const { follow, tail } = call.request;
  const application = applications.get(call.request.application);
  const { log } = application.journal;
  const gone = callerGone(call);
  const lines: string[] = [...log.tail(Math.min(tail, TAIL_LINES_MAX))];
  let behind = lines.reduce((chars, line) => chars + LINE_CHARS + line.length, 0);
  let left = 0;
  let wake: () => void = () => undefined;
  const leave = follow
    ? log.follow((line) => {
        if (behind < BEHIND_CHARS_MAX) {
          lines.push(line);
          behind += LINE_CHARS + line.length;
        } else {
          left++;
        }
        wake();
      })
    : () => false;
  gone.addEventListener('abort', () => wake(), { once: true });
  try {
    for (;;) {
      for (const line of lines.splice(0, 1000)) {
        if (!(await writeTo(call, { line }, gone))) return;
        behind -= LINE_CHARS + line.length;
      }
      if (left > 0 && lines.length === 0) {
        if (!(await writeTo(call, { line: `… ${left} lines left out: the reader is too slow` }, gone)))
          return;
        left = 0;
      }
      if (lines.length > 0) continue;
      if (!follow || isOver(application.state)) break;
      const next = Promise.withResolvers<void>();
      wake = next.resolve;
      if (gone.aborted) return;
      await next.promise;
    }
    call.end();
  } finally {
    leave();
  }
}

interface OffsetLogCall {
  readonly application: string;
  readonly tail: number;
}

/** The last entries of an application's log of offsets, oldest first. @throws MillraceError APPLICATION_UNKNOWN, LOG_CORRUPT. */
export async function streamOffsetLog(
  call: ServerWritableStream<OffsetLogCall, LogLineInit>,
  applications: Applications,
): Promise<void> {
  const { application, tail } = call.request;
  const lines = logLines(await applications.log(application));
  const gone = callerGone(call);
  for (const line of tail === 0 ? lines : lines.slice(-tail)) {
    if (!(await writeTo(call, { line }, gone))) return;
  }
  call.end();
}
