import type { ErrorRecord } from '@millrace/common';
import type { ApplicationEvent } from '../application-events.ts';
import type { ApplicationState } from './application-state.ts';

/** What watchers of an application are told: what its host says, and how its state changes. */
export type WatchedEvent =
  | Exclude<ApplicationEvent, { kind: 'running' } | { kind: 'ended' }>
  | { readonly kind: 'state'; readonly state: ApplicationState; readonly error?: ErrorRecord };

export interface LoggedEvent {
  /** Counts up by one; the sequence of a later driver process lies above that of an earlier one. */
  readonly sequence: number;
  /** ms since 1970. */
  readonly at: number;
  readonly event: WatchedEvent;
}

export interface EventPage {
  readonly events: readonly LoggedEvent[];
  /** Events after the asked-for sequence that are gone. */
  readonly dropped: number;
}

const EVENTS_MAX = 10_000;
const CHARS_MAX = 4 * 1024 * 1024;
const PAGE = 256;

/** The last events of an application, bounded in number and size, for watchers that come and go. */
export class EventLog {
  #events: LoggedEvent[] = [];
  /** Index of the oldest one that is kept: the array is cut seldom. */
  #head = 0;
  #chars = 0;
  #sequence: number;
  readonly #first: number;
  readonly #waiting = new Set<() => void>();

  /** `startedAt`: wall clock in ms when this driver learned of the application. */
  constructor(startedAt: number) {
    // A thousand events a millisecond: a later driver never repeats a sequence.
    this.#sequence = Math.floor(startedAt) * 1000;
    this.#first = this.#sequence;
  }

  get sequence(): number {
    return this.#sequence;
  }

  append(event: WatchedEvent, at: number): void {
    this.#events.push({ sequence: ++this.#sequence, at, event });
    this.#chars += sizeOf(event);
    while (this.#chars > CHARS_MAX && this.#head < this.#events.length) this.#dropOldest();
    this.#keep(EVENTS_MAX);
    for (const wake of this.#waiting) wake();
  }

  /** Keeps only the last events: of an application that is over. */
  trim(events: number): void {
    this.#keep(events);
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }

  #keep(events: number): void {
    while (this.#events.length - this.#head > events) this.#dropOldest();
    // Cut when half of it is dropped, so that what is dropped is not held for long: large events are few.
    if (this.#head * 2 <= this.#events.length) return;
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }

  #dropOldest(): void {
    const oldest = this.#events[this.#head++];
    if (oldest) this.#chars -= sizeOf(oldest.event);
  }

  /** Some of the events after a sequence. One of an earlier driver process, or 0: from the oldest that is kept. */
  after(sequence: number): EventPage {
    const from = Math.max(sequence, this.#first);
    const oldest = this.#events[this.#head]?.sequence ?? this.#sequence + 1;
    const dropped = Math.max(0, oldest - 1 - from);
    const start = this.#head + Math.max(0, from + 1 - oldest);
    return { events: this.#events.slice(start, start + PAGE), dropped };
  }

  /** Resolves at the next event, or when the signal is aborted. Never rejects. */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      if (signal.aborted) return resolve();
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function sizeOf(event: WatchedEvent): number {
  return event.kind === 'output' || event.kind === 'notice' ? 200 + event.text.length : 400;
}
