import {
  type ErrorRecord,
  invariant,
  type Logger,
  MillraceError,
  transition,
  withDeadline,
} from '@millrace/common';
import type { CheckpointStore } from '../application/checkpoint/checkpoint-store.ts';
import type { PlannedBatch } from '../application/log/log-record.ts';
import type { LoggedSums } from '../application/log/logged-sums.ts';
import { logLost } from '../application/log/record-codec.ts';
import type { ContentStore } from '../cluster/content-store.ts';
import { hostLost } from '../host-process/host-process.ts';
import { type HostGone, HostSession, type HostSessionListener } from '../host-process/host-session.ts';
import { Restarts } from '../host-process/restart-policy.ts';
import type { ValidatedJob } from '../host-process/validate-job.ts';
import { APPLICATION_TRANSITIONS, type ApplicationState, isOver } from './application-state.ts';
import type { Totals } from './application-totals.ts';
import { type AfterHostEnd, afterFailedStart, afterHostEnd, isUnfinished } from './host-end.ts';
import { Journal } from './journal.ts';
import { idOf, plannerOf } from './kept-programs.ts';
import { KeptRecord } from './kept-record.ts';
import { loggedState } from './logged-offsets.ts';
import type { OutputLog } from './output-log.ts';
import { endPhase, type Phase, type StopMode, stopTooSlow } from './phase.ts';
import { type HostProgram, type StartHostDeps, startHost } from './start-host.ts';
import type { AssertHeld } from './state-dir.ts';
import type { SubmissionRecord, SubmissionStore, SubmittedProgram } from './submission-store.ts';

export interface ApplicationDeps extends StartHostDeps {
  readonly logger: Logger;
  readonly store: SubmissionStore;
  readonly content: ContentStore;
  readonly checkpoints: CheckpointStore;
  readonly assertHeld: AssertHeld;
  /** Tells executors that tasks of lower epochs must end. */
  readonly dropOnExecutors: (application: string, belowEpoch: number) => void;
}

export interface Started {
  readonly epoch: number;
  /** What this run printed and noticed lies after it, from the evaluation of its module on. */
  readonly eventSequence: number;
  readonly notes: readonly string[];
}

const GOES_ON = 'that batch is done: the program that was submitted goes on';
const BEGAN_ANEW = 'begins anew, as was asked for: an earlier log is kept beside the new one';

/** For whoever submits, and whoever watches. */
function finishesFirst({ batchTime }: PlannedBatch, planner: SubmittedProgram): string {
  const batch = `batch ${new Date(batchTime).toISOString()}`;
  const since = new Date(planner.submittedAt).toISOString();
  return `${batch} was planned with program ${idOf(planner).slice(0, 12)}, submitted at ${since}: it is finished with that one first (--with-new-program: with the new one)`;
}

function withWayOut(error: ErrorRecord): ErrorRecord {
  const wayOut =
    'This is the program that the pending batch was planned with. To run the batch with the new one: submit with --with-new-program.';
  return { ...error, remedy: error.remedy === '' ? wayOut : `${error.remedy} ${wayOut}` };
}

/** One application from its submission to its end, over as many hosts as that takes. */
export class Application {
  readonly name: string;
  readonly journal: Journal;
  readonly #deps: ApplicationDeps;
  readonly #kept: KeptRecord;
  #phase: Phase = { kind: 'none' };
  readonly #restarts: Restarts;
  /** A first start that somebody waits for: its epoch. */
  #started: PromiseWithResolvers<number> | undefined;
  #over = Promise.withResolvers<void>();
  #leaving = false;
  /** Its host only finishes this batch, with the program that has planned it; then the submitted one goes on. */
  #finishing: PlannedBatch | undefined;
  #finished: number | undefined;
  /** Why the host was killed, when that ends the application. */
  #goneWrong: ErrorRecord | undefined;

  constructor(record: SubmissionRecord, log: OutputLog, deps: ApplicationDeps) {
    this.name = record.name;
    this.#kept = new KeptRecord(record, deps);
    this.#deps = deps;
    this.journal = new Journal(log, deps.clock);
    this.#restarts = new Restarts(deps.clock);
  }

  get record(): SubmissionRecord {
    return this.#kept.current;
  }

  get state(): ApplicationState {
    return this.#kept.current.state;
  }

  get hostPid(): number {
    return this.#phase.kind === 'hosted' ? this.#phase.session.pid : 0;
  }

  get restarts(): number {
    return this.#restarts.count;
  }

  get totals(): Totals {
    return this.#kept.totals;
  }

  /**
   * A new run, on a host that validated the job; when a batch is pending that an earlier program has planned, first on one of that. The application
   * is claimed at once; resolves when it runs.
   * @throws MillraceError that ended it before: it is FAILED then, or STOPPED when somebody stopped it.
   */
  async begin(record: SubmissionRecord, job: ValidatedJob, pending?: PlannedBatch): Promise<Started> {
    this.#kept.replace({ ...record, state: this.#kept.current.state });
    this.#restarts.clear();
    // What an earlier run came to says nothing of this one.
    this.#finishing = undefined;
    this.#finished = undefined;
    if (isOver(this.state)) this.#over = Promise.withResolvers();
    const abort = new AbortController();
    abort.signal.addEventListener('abort', () => job.host.kill(), { once: true });
    this.#phase = { kind: 'starting', abort };
    const started = Promise.withResolvers<number>();
    started.promise.catch(() => undefined);
    this.#started = started;
    this.#move('SUBMITTED');
    try {
      // The submitter must find it again after a crash of this driver.
      await this.#kept.save();
    } catch (error) {
      const failure = MillraceError.from(error, 'LOG_WRITE_FAILED');
      job.host.kill();
      if (!abort.signal.aborted) this.#conclude({ to: 'FAILED', error: MillraceError.toRecord(failure) });
      throw failure;
    }
    if (!abort.signal.aborted) this.#move('STARTING');
    const eventSequence = this.journal.events.sequence;
    const notes = [...job.notes, ...job.notices.map(({ text }) => text)];
    const planner = plannerOf(record, pending);
    if (pending && planner) {
      notes.push(finishesFirst(pending, planner));
      job.host.kill();
      if (!abort.signal.aborted) void this.#start();
    } else if (!abort.signal.aborted) this.#adopt(job);
    return { epoch: await started.promise, eventSequence, notes };
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
    const abort = new AbortController();
    this.#phase = { kind: 'starting', abort };
    if (this.state !== 'STARTING') this.#move('STARTING');
    try {
      const { name } = this.#kept.current;
      const program = await this.#nextProgram();
      abort.signal.throwIfAborted();
      const job = await startHost(program, this.#deps, abort.signal);
      try {
        // Its host would fence that of the driver that has taken over.
        await this.#deps.assertHeld();
        abort.signal.throwIfAborted();
      } catch (error) {
        job.host.kill();
        throw error;
      }
      if (job.application === name) {
        this.#adopt(job);
        return;
      }
      job.host.kill();
      throw new MillraceError('JOB_INVALID', `the job calls itself ${job.application} now, and was ${name}`);
    } catch (error) {
      if (abort.signal.aborted) return;
      const why = MillraceError.toRecord(error);
      this.#conclude(afterFailedStart(why, this.#restartAfter(why)));
    }
  }

  /** What the next host runs: the submitted program, or, for a batch that it has not planned, the one that has. */
  async #nextProgram(): Promise<HostProgram> {
    const { current } = this.#kept;
    const { name } = current;
    this.#finishing = undefined;
    if (current.anewAfter !== undefined) return { ...current, anew: true };
    const { pending } = loggedState((await this.#deps.checkpoints.open(name)).log);
    const planner = plannerOf(current, pending);
    if (!pending || !planner) return { ...current, anew: false };
    const isAgain = this.#finished === pending.batchTime;
    invariant(!isAgain, `a host that has finished batch ${pending.batchTime} has committed it`);
    this.#finishing = pending;
    this.journal.notice('info', finishesFirst(pending, planner));
    return { ...planner, name, anew: false, onlyPending: true };
  }

  #adopt(job: ValidatedJob): void {
    const { clock, logger, scheduler, content, jobStartTimeoutMs } = this.#deps;
    const { epoch, anewAfter = epoch } = this.#kept.current;
    const session = new HostSession(
      job,
      { clock, logger, scheduler, content, knownEpoch: anewAfter, startTimeoutMs: jobStartTimeoutMs },
      {
        started: (hostEpoch, sums) => this.#hostStarted(hostEpoch, sums),
        event: (event) => this.#heard(event),
        output: (line) => this.journal.print(line),
        gone: (gone) => this.#hostGone(gone),
      },
    );
    // A host that was gone by then has been heard already, and what follows has begun.
    if (!session.isGone) this.#phase = { kind: 'hosted', session };
  }

  #hostStarted(epoch: number, sums: LoggedSums): void {
    if (epoch <= this.#kept.current.epoch) {
      this.#wentBack(epoch);
      return;
    }
    const { anewAfter, ...record } = this.#kept.current;
    this.#kept.replace({ ...record, epoch });
    this.#kept.recount(sums);
    if (anewAfter !== undefined) this.journal.notice('info', BEGAN_ANEW);
    this.#deps.dropOnExecutors(this.name, epoch);
    if (this.state !== 'STARTING') return;
    this.#restarts.started();
    this.#move('RUNNING');
    void this.#kept.saveLater();
    this.#started?.resolve(epoch);
    this.#started = undefined;
  }

  /** Executors drop tasks of such an epoch; and what the missing log said about offsets is not known any more. */
  #wentBack(epoch: number): void {
    const where = this.#deps.checkpoints.where(this.name);
    this.#goneWrong = MillraceError.toRecord(logLost(where, epoch, this.#kept.current.epoch));
    if (this.#phase.kind === 'hosted') this.#phase.session.kill();
  }

  #heard(event: Parameters<HostSessionListener['event']>[0]): void {
    if (event.kind === 'running') {
      for (const text of event.notes) this.journal.event({ kind: 'notice', level: 'info', text });
      return;
    }
    if (event.kind === 'batch-completed') this.#kept.count(event.batch);
    this.journal.event(event);
  }

  #hostGone({ exit, pid, ended, refusal }: HostGone): void {
    this.#deps.dropOnExecutors(this.name, this.#kept.current.epoch + 1);
    if (this.#finishing && ended && !ended.error && this.state === 'RUNNING' && !this.#leaving) {
      this.#finished = this.#finishing.batchTime;
      this.journal.notice('info', GOES_ON);
      void this.#start();
      return;
    }
    const crash = MillraceError.toRecord(hostLost(exit, pid));
    const wrong = this.#goneWrong;
    this.#goneWrong = undefined;
    if (wrong) {
      this.#conclude({ to: 'FAILED', error: wrong });
    } else if (this.#leaving && (ended?.error === undefined || isUnfinished(ended.error))) {
      this.#phase = { kind: 'none' };
      this.#over.resolve();
    } else if (refusal && this.state !== 'STOPPING') {
      this.#conclude(afterFailedStart(refusal, this.#restartAfter(refusal)));
    } else {
      if (!ended && this.state === 'STOPPING') this.journal.log.append(`${crash.what} [${crash.code}]`);
      const restart = this.#restartAfter(crash);
      this.#conclude(afterHostEnd({ state: this.state, ended, crash, restart }));
    }
  }

  /** Who waits for a first start hears at once why there is none. */
  #restartAfter(why: ErrorRecord): number | 'give-up' {
    return this.#started ? 'give-up' : this.#restarts.next(why);
  }

  #conclude(after: AfterHostEnd): void {
    const { clock, logger, scheduler } = this.#deps;
    if (after.to === 'STARTING') {
      const { afterMs, why } = after;
      logger.warn({ application: this.name, afterMs, why: why.what }, 'application host starts again');
      const { isFirst, text } = this.#restarts.note(why, afterMs);
      // What to do about it is said once, not five times.
      const remedy = isFirst && why.remedy !== '' ? `. ${why.remedy}` : '';
      this.journal.notice('warn', `${why.what} [${why.code}]: ${text}${remedy}`);
      if (this.state !== 'STARTING') this.#move('STARTING');
      const timer = clock.schedule(afterMs, () => void this.#start());
      this.#phase = { kind: 'pausing', timer };
      return;
    }
    this.#phase = { kind: 'none' };
    scheduler.forget(this.name);
    this.#kept.replace({ ...this.#kept.current, desired: 'stopped' });
    const error = after.to === 'FAILED' && this.#finishing ? withWayOut(after.error) : after.error;
    this.#move(after.to, error);
    void this.#kept.saveLater();
    void this.#recount();
    this.journal.over(() => isOver(this.state));
    this.#started?.reject(
      after.to === 'FAILED'
        ? MillraceError.fromRecord(error ?? after.error)
        : new MillraceError('CANCELLED', `application ${this.name} was stopped before it ran`),
    );
    this.#started = undefined;
    this.#over.resolve();
  }

  /** A host that was killed may have committed a batch that it did not tell of. */
  async #recount(): Promise<void> {
    const { submittedAt, epoch } = this.#kept.current;
    try {
      const { sums } = loggedState((await this.#deps.checkpoints.open(this.name)).log);
      const now = this.#kept.current;
      // Another run has begun meanwhile.
      const isSameRun = now.submittedAt === submittedAt && now.epoch === epoch;
      if (!isSameRun || now.anewAfter !== undefined) return;
      const { batches } = this.totals;
      this.#kept.recount(sums);
      if (this.totals.batches !== batches) await this.#kept.saveLater();
    } catch (error) {
      this.#deps.logger.debug({ err: error, application: this.name }, 'what was read was not counted again');
    }
  }

  /**
   * Stops for good. Resolves when it is over.
   * @throws MillraceError DEADLINE_EXCEEDED: it goes on stopping; DRAIN_TIMEOUT: it is over, its batch unfinished.
   */
  async stop(mode: StopMode, timeoutMs: number): Promise<void> {
    if (isOver(this.state)) return;
    this.#kept.replace({ ...this.#kept.current, desired: 'stopped' });
    // First the intent: a driver that dies here must not start it again.
    await this.#kept.saveLater();
    if (isOver(this.state)) return;
    if (this.state !== 'STOPPING') this.#move('STOPPING');
    if (endPhase(this.#phase, mode, 'the application was stopped')) this.#conclude({ to: 'STOPPED' });
    await withDeadline(
      this.#over.promise,
      timeoutMs,
      () => stopTooSlow(this.name, timeoutMs),
      this.#deps.clock,
    );
    const { error } = this.#kept.current;
    if (error && isUnfinished(error)) throw MillraceError.fromRecord(error);
  }

  /** Ends the host, not the application: it resumes with the next driver. Resolves when the host is gone. */
  async leave(graceful: boolean, timeoutMs: number): Promise<void> {
    this.#leaving = true;
    const why = new MillraceError('CANCELLED', 'the driver is stopping');
    this.#started?.reject(why);
    const phase = this.#phase;
    endPhase(phase, graceful ? 'drain' : 'kill', why.what);
    if (phase.kind === 'hosted') {
      const { clock, logger } = this.#deps;
      await withDeadline(this.#over.promise, timeoutMs, 'the drain', clock).catch((error: unknown) => {
        logger.warn(
          { err: error, application: this.name },
          'host killed: its batch runs again when it resumes',
        );
        phase.session.kill();
      });
    }
    await this.#kept.end();
    this.journal.log.close();
  }

  /** Live slots changed. */
  tellSlots(slots: number): void {
    if (this.#phase.kind === 'hosted') this.#phase.session.tellSlots(slots);
  }

  #move(to: ApplicationState, error?: ErrorRecord): void {
    const { error: _before, ...record } = this.#kept.current;
    const state = transition(APPLICATION_TRANSITIONS, `application ${this.name}`, record.state, to);
    this.#kept.replace({ ...record, state, ...(error ? { error } : {}) });
    this.journal.state(state, error);
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
}
