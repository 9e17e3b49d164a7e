import {
  assertNever,
  type Clock,
  type ErrorRecord,
  type Logger,
  MillraceError,
  type Timer,
  transition,
  withDeadline,
} from '@millrace/common';
import type { ContentStore } from '../cluster/content-store.ts';
import type { TaskScheduler } from '../cluster/task-scheduler.ts';
import type { HostPool } from '../host-process/host-pool.ts';
import { hostLost } from '../host-process/host-process.ts';
import { type HostGone, HostSession, type HostSessionListener } from '../host-process/host-session.ts';
import { isHostLogLine } from '../host-process/output-lines.ts';
import { nextRestart } from '../host-process/restart-policy.ts';
import { type ValidatedJob, validateJob } from '../host-process/validate-job.ts';
import type { ApplicationLog } from './application-log.ts';
import { APPLICATION_TRANSITIONS, type ApplicationState, isOver } from './application-state.ts';
import { ApplicationTotals } from './application-totals.ts';
import type { BundleStore } from './bundle-store.ts';
import { EventLog } from './event-log.ts';
import { type AfterHostEnd, afterFailedStart, afterHostEnd } from './host-end.ts';
import type { SubmissionRecord, SubmissionStore } from './submission-store.ts';

export interface ApplicationDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: SubmissionStore;
  readonly bundles: BundleStore;
  readonly hosts: HostPool;
  readonly scheduler: TaskScheduler;
  readonly content: ContentStore;
  /** Tells executors that tasks of lower epochs must end. */
  readonly dropOnExecutors: (application: string, belowEpoch: number) => void;
  readonly applicationsDir: string;
  readonly jobStartTimeoutMs: number;
}

export type StopMode = 'drain' | 'now' | 'kill';

export interface Started {
  readonly epoch: number;
  readonly eventSequence: number;
  readonly notes: readonly string[];
}

/** What of the application exists as a process. */
type Phase =
  | { readonly kind: 'none' }
  /** Crashed; starts again soon. */
  | { readonly kind: 'pausing'; readonly timer: Timer }
  | { readonly kind: 'starting'; readonly abort: AbortController }
  | { readonly kind: 'hosted'; readonly session: HostSession };

// Who watched to the end has read everything by then.
const TRIM_AFTER_MS = 60_000;
const EVENTS_KEPT = 200;

/** One application from its submission to its end, over as many hosts as that takes. */
export class Application {
  readonly name: string;
  readonly events: EventLog;
  readonly log: ApplicationLog;
  readonly totals = new ApplicationTotals();
  readonly #deps: ApplicationDeps;
  #record: SubmissionRecord;
  #phase: Phase = { kind: 'none' };
  #restarts: number[] = [];
  #started: PromiseWithResolvers<Started> | undefined;
  #over = Promise.withResolvers<void>();
  #leaving = false;
  /** Why the host was killed, when that ends the application. */
  #goneWrong: ErrorRecord | undefined;

  constructor(record: SubmissionRecord, log: ApplicationLog, deps: ApplicationDeps) {
    this.name = record.name;
    this.#record = record;
    this.log = log;
    this.#deps = deps;
    this.events = new EventLog(deps.clock.now());
  }

  get record(): SubmissionRecord {
    return this.#record;
  }

  get state(): ApplicationState {
    return this.#record.state;
  }

  get hostPid(): number {
    return this.#phase.kind === 'hosted' ? this.#phase.session.pid : 0;
  }

  get restarts(): number {
    return this.#restarts.length;
  }

  /**
   * A new run, on a host that validated the job. The application is claimed at once; resolves when it runs.
   * @throws MillraceError that ended it before: it is FAILED then, or STOPPED when somebody stopped it.
   */
  async begin(record: SubmissionRecord, job: ValidatedJob): Promise<Started> {
    this.#record = { ...record, state: this.#record.state };
    this.#restarts = [];
    this.totals.reset();
    if (isOver(this.state)) this.#over = Promise.withResolvers();
    const abort = new AbortController();
    abort.signal.addEventListener('abort', () => job.host.kill(), { once: true });
    this.#phase = { kind: 'starting', abort };
    const started = Promise.withResolvers<Started>();
    started.promise.catch(() => undefined);
    this.#started = started;
    this.#move('SUBMITTED');
    try {
      // The submitter must find it again after a crash of this driver.
      await this.#save();
    } catch (error) {
      const failure = MillraceError.from(error, 'LOG_WRITE_FAILED');
      job.host.kill();
      if (!abort.signal.aborted) this.#conclude({ to: 'FAILED', error: MillraceError.toRecord(failure) });
      throw failure;
    }
    if (!abort.signal.aborted) {
      this.#move('STARTING');
      this.#adopt(job);
    }
    return started.promise;
  }

  /** Starts again what ran when the driver ended. */
  resume(): void {
    this.#deps.logger.info({ application: this.name }, 'application resumed');
    void this.#start();
  }

  /** An application that was stopping, or never came to run, when the driver ended. */
  settle(): void {
    if (!isOver(this.state)) this.#conclude({ to: 'STOPPED' });
  }

  async #start(): Promise<void> {
    const { hosts, bundles, clock, jobStartTimeoutMs, applicationsDir, scheduler } = this.#deps;
    const abort = new AbortController();
    this.#phase = { kind: 'starting', abort };
    this.#move('STARTING');
    try {
      const { name, programHash, config, environment } = this.#record;
      const programDir = await bundles.unpacked(programHash);
      const host = await hosts.take();
      const { slots } = scheduler;
      const job = await validateJob(
        host,
        {
          kind: 'start',
          application: name,
          programHash,
          programDir,
          applicationsDir,
          config,
          environment,
          slots,
        },
        { clock, timeoutMs: jobStartTimeoutMs, signal: abort.signal },
      );
      if (job.application === name) {
        this.#adopt(job);
        return;
      }
      host.kill();
      throw new MillraceError('JOB_INVALID', `the job calls itself ${job.application} now, and was ${name}`);
    } catch (error) {
      if (abort.signal.aborted) return;
      const record = MillraceError.toRecord(error);
      this.log.append(`could not start: ${record.what} [${record.code}]`);
      this.#conclude(afterFailedStart(record, this.#nextRestart()));
    }
  }

  #nextRestart(): number | 'give-up' {
    return nextRestart(this.#restarts, this.#deps.clock.monotonic());
  }

  #adopt(job: ValidatedJob): void {
    const { clock, logger, scheduler, content, jobStartTimeoutMs } = this.#deps;
    const session = new HostSession(
      job,
      { clock, logger, scheduler, content, startTimeoutMs: jobStartTimeoutMs },
      {
        started: (epoch) => this.#hostStarted(epoch, job.notes),
        event: (event) => this.#heard(event),
        output: (line, error) => this.#print(line, error),
        gone: (gone) => this.#hostGone(gone),
      },
    );
    // A host that was gone by then has been heard already, and what follows has begun.
    if (!session.isGone) this.#phase = { kind: 'hosted', session };
  }

  #hostStarted(epoch: number, notes: readonly string[]): void {
    if (epoch <= this.#record.epoch) {
      this.#wentBack(epoch);
      return;
    }
    this.#record = { ...this.#record, epoch };
    this.#deps.dropOnExecutors(this.name, epoch);
    if (this.state !== 'STARTING') return;
    this.#move('RUNNING');
    this.#saveLater();
    this.#started?.resolve({ epoch, eventSequence: this.events.sequence, notes });
    this.#started = undefined;
  }

  /** Executors drop tasks of such an epoch; and what the missing log said about offsets is not known any more. */
  #wentBack(epoch: number): void {
    const { name, record } = this;
    this.#goneWrong = MillraceError.toRecord(
      new MillraceError(
        'FENCED',
        `the log of ${name} gave epoch ${epoch}, but epoch ${record.epoch} ran before: the log was removed, or is another one`,
        {
          remedy: 'Restore the log, or submit under another name (--name).',
          details: { application: name, epoch, before: record.epoch },
        },
      ),
    );
    if (this.#phase.kind === 'hosted') this.#phase.session.kill();
  }

  #heard(event: Parameters<HostSessionListener['event']>[0]): void {
    if (event.kind === 'running') {
      for (const text of event.notes) this.#event({ kind: 'notice', level: 'info', text });
      return;
    }
    if (event.kind === 'batch-completed') this.totals.add(event.batch);
    this.#event(event);
  }

  #hostGone({ exit, pid, ended, refusal }: HostGone): void {
    this.#deps.dropOnExecutors(this.name, this.#record.epoch + 1);
    const crash = MillraceError.toRecord(hostLost(exit, pid));
    const wrong = this.#goneWrong;
    this.#goneWrong = undefined;
    // Who waits for a first start hears at once why there is none.
    const restart = this.#started ? 'give-up' : this.#nextRestart();
    if (wrong) {
      this.#conclude({ to: 'FAILED', error: wrong });
    } else if (this.#leaving && ended?.error === undefined) {
      this.#phase = { kind: 'none' };
      this.#over.resolve();
    } else if (refusal && this.state !== 'STOPPING') {
      this.#conclude(afterFailedStart(refusal, restart));
    } else {
      if (!ended) this.log.append(`${crash.what} [${crash.code}]`);
      this.#conclude(afterHostEnd({ state: this.state, ended, crash, restart }));
    }
  }

  #conclude(after: AfterHostEnd): void {
    const { clock, logger, scheduler } = this.#deps;
    if (after.to === 'STARTING') {
      this.#restarts.push(clock.monotonic());
      logger.warn({ application: this.name, afterMs: after.afterMs }, 'application host starts again');
      this.#move('STARTING');
      const timer = clock.schedule(after.afterMs, () => void this.#start());
      this.#phase = { kind: 'pausing', timer };
      return;
    }
    this.#phase = { kind: 'none' };
    scheduler.forget(this.name);
    this.#record = { ...this.#record, desired: 'stopped' };
    this.#move(after.to, after.to === 'FAILED' ? after.error : undefined);
    this.#saveLater();
    this.log.flush();
    clock.schedule(TRIM_AFTER_MS, () => isOver(this.state) && this.events.trim(EVENTS_KEPT), { unref: true });
    this.#started?.reject(
      after.to === 'FAILED'
        ? MillraceError.fromRecord(after.error)
        : new MillraceError('CANCELLED', `application ${this.name} was stopped before it ran`),
    );
    this.#started = undefined;
    this.#over.resolve();
  }

  /**
   * Stops for good. Resolves when it is over.
   * @throws MillraceError DEADLINE_EXCEEDED: it goes on stopping.
   */
  async stop(mode: StopMode, timeoutMs: number): Promise<void> {
    if (isOver(this.state)) return;
    this.#record = { ...this.#record, desired: 'stopped' };
    // First the intent: a driver that dies here must not start it again.
    await this.#save().catch((error: unknown) => this.#notSaved(error));
    if (isOver(this.state)) return;
    if (this.state !== 'STOPPING') this.#move('STOPPING');
    this.#endHost(mode);
    await withDeadline(
      this.#over.promise,
      timeoutMs,
      () =>
        new MillraceError(
          'DEADLINE_EXCEEDED',
          `${this.name} did not stop within ${timeoutMs} ms; it goes on`,
          {
            remedy: 'Wait for it with `millrace status`, or use `millrace stop --now` or `millrace kill`.',
          },
        ),
      this.#deps.clock,
    );
  }

  #endHost(mode: StopMode): void {
    const phase = this.#phase;
    switch (phase.kind) {
      case 'pausing':
        phase.timer.cancel();
        this.#conclude({ to: 'STOPPED' });
        break;
      case 'starting':
        phase.abort.abort(new MillraceError('CANCELLED', 'the application was stopped'));
        this.#conclude({ to: 'STOPPED' });
        break;
      case 'hosted':
        if (mode === 'kill') phase.session.kill();
        else phase.session.stop(mode);
        break;
      case 'none':
        break;
      default:
        assertNever(phase, 'phase');
    }
  }

  /** Ends the host, not the application: it resumes with the next driver. Resolves when the host is gone. */
  async leave(graceful: boolean, timeoutMs: number): Promise<void> {
    this.#leaving = true;
    const why = new MillraceError('CANCELLED', 'the driver is stopping');
    this.#started?.reject(why);
    const phase = this.#phase;
    if (phase.kind === 'pausing') phase.timer.cancel();
    if (phase.kind === 'starting') phase.abort.abort(why);
    if (phase.kind === 'hosted') {
      if (graceful) phase.session.stop('drain');
      else phase.session.kill();
      const { clock } = this.#deps;
      await withDeadline(this.#over.promise, timeoutMs, 'the drain', clock).catch(() => phase.session.kill());
    }
    this.log.close();
  }

  /** Live slots changed. */
  tellSlots(slots: number): void {
    if (this.#phase.kind === 'hosted') this.#phase.session.tellSlots(slots);
  }

  #print(text: string, error: boolean): void {
    this.log.append(text);
    // What the engine logs in the host is for `millrace logs`; what the job prints is for whoever watches it.
    if (!(error && isHostLogLine(text))) this.#event({ kind: 'output', text, error });
  }

  #event(event: Parameters<EventLog['append']>[0]): void {
    this.events.append(event, this.#deps.clock.now());
  }

  #move(to: ApplicationState, error?: ErrorRecord): void {
    const { error: _before, ...record } = this.#record;
    const state = transition(APPLICATION_TRANSITIONS, `application ${this.name}`, record.state, to);
    this.#record = { ...record, state, ...(error ? { error } : {}) };
    this.#event({ kind: 'state', state, ...(error ? { error } : {}) });
    this.log.append(error ? `${state}: ${error.what} [${error.code}]` : state);
    this.#deps.logger.info(
      {
        application: this.name,
        state,
        epoch: record.epoch,
        ...(error ? { code: error.code, what: error.what } : {}),
      },
      'application state',
    );
  }

  #save(): Promise<void> {
    return this.#deps.store.save(this.#record);
  }

  #saveLater(): void {
    this.#save().catch((error: unknown) => this.#notSaved(error));
  }

  #notSaved(error: unknown): void {
    const { logger } = this.#deps;
    logger.error({ err: error, application: this.name }, 'the state of an application was not saved');
  }
}
