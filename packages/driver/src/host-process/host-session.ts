import {
  assertNever,
  type Clock,
  type ErrorRecord,
  type Logger,
  MillraceError,
  type Timer,
} from '@millrace/common';
import type { LoggedSums } from '../application/log/logged-sums.ts';
import type { ApplicationEvent } from '../application-events.ts';
import type { ContentStore } from '../cluster/content-store.ts';
import type { TaskScheduler } from '../cluster/task-scheduler.ts';
import type { HostToDriver } from '../host-protocol.ts';
import { shufflePrefix } from '../shuffle-names.ts';
import type { TaskEvent } from '../task-backend.ts';
import type { HostExit, HostProcess } from './host-process.ts';
import type { HostLine } from './output-lines.ts';
import type { ValidatedJob } from './validate-job.ts';

export interface HostSessionDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scheduler: TaskScheduler;
  readonly content: ContentStore;
  /** See 'name-granted'. */
  readonly knownEpoch: number;
  /** From the grant of its name a host must start within this time. */
  readonly startTimeoutMs: number;
}

/** How a host went. */
export interface HostGone {
  readonly exit: HostExit;
  readonly pid: number;
  /** Its last event, when it said that it ended by itself. */
  readonly ended: { readonly error?: ErrorRecord } | undefined;
  /** It found the job impossible after all. */
  readonly refusal: ErrorRecord | undefined;
}

export interface HostSessionListener {
  /** It took its epoch; task sets follow. */
  started(epoch: number, sums: LoggedSums): void;
  event(event: Exclude<ApplicationEvent, { kind: 'output' | 'ended' }>): void;
  output(line: HostLine): void;
  /** The last call. Its tasks and content are gone. */
  gone(gone: HostGone): void;
}

/** Of one output or notice, in characters: it must fit in a message to those who watch. */
const TEXT_MAX = 64 * 1024;

/** A host that says that it ends, or is told to end now, is killed when it is still there after so long. */
const EXIT_MS = 10_000;

/** One host from the grant of its name to its end: connects it to the task scheduler and the content store. */
export class HostSession {
  readonly #application: string;
  readonly #host: HostProcess;
  readonly #deps: HostSessionDeps;
  readonly #listener: HostSessionListener;
  readonly #timers: Timer[] = [];
  #epoch: number | undefined;
  /** Of this turn, not sent yet. */
  readonly #events: TaskEvent[] = [];
  #ended: { readonly error?: ErrorRecord } | undefined;
  #refusal: ErrorRecord | undefined;

  constructor(job: ValidatedJob, deps: HostSessionDeps, listener: HostSessionListener) {
    this.#application = job.application;
    this.#host = job.host;
    this.#deps = deps;
    this.#listener = listener;
    for (const line of job.output) listener.output(line);
    for (const notice of job.notices) this.#heard(notice);
    this.#killAfter(deps.startTimeoutMs, () => this.#epoch === undefined);
    job.host.listen({
      message: (message) => this.#receive(message),
      output: (line) => listener.output(line),
      exited: (exit) => this.#exited(exit),
    });
    job.host.send({ kind: 'name-granted', knownEpoch: deps.knownEpoch });
  }

  get pid(): number {
    return this.#host.pid;
  }

  get isGone(): boolean {
    return this.#host.exit !== undefined;
  }

  stop(mode: 'drain' | 'now'): void {
    this.#host.send({ kind: 'stop', mode });
    if (mode === 'now') this.#killAfter(EXIT_MS);
  }

  kill(): void {
    this.#host.kill();
  }

  tellSlots(slots: number): void {
    this.#host.send({ kind: 'slots', slots });
  }

  #killAfter(ms: number, isDue = (): boolean => true): void {
    this.#timers.push(this.#deps.clock.schedule(ms, () => isDue() && this.#host.kill()));
  }

  #receive(message: HostToDriver): void {
    const { scheduler, content } = this.#deps;
    switch (message.kind) {
      case 'started':
        this.#epoch = message.epoch;
        scheduler.attach(this.#application, (event) => this.#tell(event));
        this.#listener.started(message.epoch, message.sums);
        break;
      case 'refused':
        this.#refusal = message.error;
        this.#killAfter(EXIT_MS);
        break;
      case 'submit':
        if (this.#isOwn(message.set.key)) scheduler.submit(message.set);
        break;
      case 'prefetch':
        scheduler.prefetch(message.expected);
        break;
      case 'cancel':
        if (this.#isOwn(message.key)) scheduler.cancel(message.key);
        break;
      case 'put-blob':
        this.#putBlob(message.hash, message.content);
        break;
      case 'drop-blobs':
        content.drop(this.#application, message.hashes);
        break;
      case 'drop-shuffle':
        if (this.#isOwn(message.what)) scheduler.dropShuffle(shufflePrefix(message.what));
        break;
      case 'event':
        this.#heard(message.event);
        break;
      case 'ready':
      case 'validated':
      case 'offsets':
      case 'pong':
        break;
      default:
        assertNever(message, 'host message');
    }
  }

  #isOwn({ application, epoch }: { readonly application: string; readonly epoch: number }): boolean {
    const isOwn = application === this.#application && epoch === this.#epoch;
    if (!isOwn) {
      this.#deps.logger.error(
        { application: this.#application, named: application, epoch },
        'a host named tasks of another application or epoch',
      );
    }
    return isOwn;
  }

  /** What one message of an executor brings goes to the host in one. */
  #tell(event: TaskEvent): void {
    this.#events.push(event);
    if (this.#events.length > 1) return;
    queueMicrotask(() => this.#host.send({ kind: 'task-events', events: this.#events.splice(0) }));
  }

  #putBlob(hash: string, content: Uint8Array): void {
    try {
      this.#deps.content.put(this.#application, hash, content);
      this.#host.send({ kind: 'blob-stored', hash });
    } catch (error) {
      this.#host.send({ kind: 'blob-stored', hash, error: MillraceError.toRecord(error) });
    }
  }

  #heard(event: ApplicationEvent): void {
    switch (event.kind) {
      case 'ended':
        this.#ended = event.error ? { error: event.error } : {};
        this.#killAfter(EXIT_MS);
        break;
      case 'output':
        this.#listener.output({ text: shorten(event.text), source: event.error ? 'stderr' : 'stdout' });
        break;
      case 'notice':
        this.#listener.event({ ...event, text: shorten(event.text) });
        break;
      case 'running':
      case 'batch-completed':
      case 'batch-failed':
        this.#listener.event(event);
        break;
      default:
        assertNever(event, 'application event');
    }
  }

  #exited(exit: HostExit): void {
    for (const timer of this.#timers) timer.cancel();
    this.#deps.scheduler.detach(this.#application);
    this.#deps.content.dropAll(this.#application);
    this.#listener.gone({ exit, pid: this.#host.pid, ended: this.#ended, refusal: this.#refusal });
  }
}

function shorten(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX)}… (${text.length} characters)`;
}
