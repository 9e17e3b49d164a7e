import type { Clock, ErrorRecord } from '@millrace/common';
import type { HostLine } from '../host-process/output-lines.ts';
import type { ApplicationState } from './application-state.ts';
import { EventLog, type WatchedEvent } from './event-log.ts';
import type { OutputLog } from './output-log.ts';

// Who watched to the end has read everything by then.
const TRIM_AFTER_MS = 60_000;
const EVENTS_KEPT = 200;

/** What an application says of itself: that it waits for Kafka, that Kafka is back. */
export interface TimedNotice {
  readonly level: 'info' | 'warn';
  readonly text: string;
  /** ms since 1970. */
  readonly at: number;
}

/** What an application has to say: events for whoever watches it, and lines for `millrace logs`. */
export class Journal {
  readonly events: EventLog;
  readonly log: OutputLog;
  readonly #clock: Clock;
  #lastNotice: TimedNotice | undefined;

  constructor(log: OutputLog, clock: Clock) {
    this.log = log;
    this.#clock = clock;
    this.events = new EventLog(clock.now());
  }

  /** For whoever did not watch. */
  get lastNotice(): TimedNotice | undefined {
    return this.#lastNotice;
  }

  event(event: WatchedEvent): void {
    const at = this.#clock.now();
    if (event.kind === 'notice') this.#lastNotice = { level: event.level, text: event.text, at };
    this.events.append(event, at);
  }

  notice(level: 'info' | 'warn', text: string): void {
    this.log.append(text);
    this.event({ kind: 'notice', level, text });
  }

  print({ text, source }: HostLine): void {
    this.log.append(text);
    // What the engine logs in the host is for `millrace logs`; what the job prints is for whoever watches it.
    if (source !== 'logger') this.event({ kind: 'output', text, error: source === 'stderr' });
  }

  state(state: ApplicationState, error?: ErrorRecord): void {
    this.event({ kind: 'state', state, ...(error ? { error } : {}) });
    this.log.append(error ? `${state}: ${error.what} [${error.code}]` : state);
  }

  /** The application is over; `isOver`: still so when it is time to forget events. */
  over(isOver: () => boolean): void {
    this.log.flush();
    const trim = (): void => {
      if (isOver()) this.events.trim(EVENTS_KEPT);
    };
    this.#clock.schedule(TRIM_AFTER_MS, trim, { unref: true });
  }
}
