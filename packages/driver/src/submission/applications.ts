import { join } from 'node:path';
import { MillraceError, nearestName } from '@millrace/common';
import { loggedEpoch } from '../application/log/application-log.ts';
import type { LogFiles } from '../application/log/log-files.ts';
import type { ReadLog } from '../application/log/log-reader.ts';
import type { PlannedBatch } from '../application/log/log-record.ts';
import { EMPTY_LOG, type LogState } from '../application/log/log-state.ts';
import type { OffsetChange, OffsetReport } from '../offset-report.ts';
import { Application, type ApplicationDeps, type Started } from './application.ts';
import { isOver } from './application-state.ts';
import { earlierPrograms, rollbackTarget } from './kept-programs.ts';
import { loggedBatches, loggedOffsets, loggedState } from './logged-offsets.ts';
import { OutputLog } from './output-log.ts';
import { editOffsets, type HostProgram, startHost } from './start-host.ts';
import { checkApplicationName, type SubmissionRecord } from './submission-store.ts';

export interface SubmitRequest extends HostProgram {
  /** Absent: the program is kept. */
  readonly archive?: Uint8Array;
  /** See SubmissionRecord. */
  readonly withNewProgram: boolean;
}

export interface ApplicationsDeps extends ApplicationDeps {
  readonly logsDir: string;
  readonly logBytesMax: number;
}

const APPLICATIONS_MAX = 1_000;

/** All applications by name: submits, finds, resumes and leaves them. */
export class Applications {
  readonly #deps: ApplicationsDeps;
  readonly #applications = new Map<string, Application>();
  /** Programs that are being submitted, with how often: nobody else may need them yet. */
  readonly #submitting = new Map<string, number>();
  /** Applications whose offsets are being changed. */
  readonly #editing = new Set<string>();
  #leaving = false;

  constructor(deps: ApplicationsDeps) {
    this.#deps = deps;
  }

  /** Reads what is stored. Nothing runs before `resume`. @throws MillraceError LOG_CORRUPT. */
  async load(): Promise<void> {
    const records = await this.#deps.store.load();
    for (const record of records) {
      const application = new Application(record, await this.#openLog(record.name), this.#deps);
      this.#applications.set(record.name, application);
    }
    await this.#deps.bundles.keepOnly(() => this.#programs());
  }

  /** What runs, was run, or is being submitted. */
  #programs(): ReadonlySet<string> {
    const records = this.list().map(({ record }) => record);
    return new Set([
      ...this.#submitting.keys(),
      ...records.flatMap(({ programHash, earlier }) => [
        programHash,
        ...earlier.map((program) => program.programHash),
      ]),
    ]);
  }

  /** Refused ones, and those that later ones have pushed out. */
  #forgetPrograms(): void {
    this.#deps.bundles
      .keepOnly(() => this.#programs())
      .catch((error: unknown) => this.#deps.logger.warn({ err: error }, 'old programs were not removed'));
  }

  /** Starts what ran when the driver ended. */
  resume(): void {
    for (const application of this.#applications.values()) {
      if (application.record.desired === 'running' && !isOver(application.state)) application.resume();
      else application.settle();
    }
  }

  /**
   * Keeps the program, has a host check the job, and runs it under its name.
   * @throws MillraceError: APPLICATION_EXISTS, what is wrong with the program or the job, or what ended it before it ran.
   */
  async submit(request: SubmitRequest): Promise<Started & { readonly application: string }> {
    const { name, programHash } = request;
    if (name !== undefined) {
      checkApplicationName(name);
      this.assertFree(name);
    }
    this.#submitting.set(programHash, (this.#submitting.get(programHash) ?? 0) + 1);
    try {
      return await this.#submit(request);
    } finally {
      const others = (this.#submitting.get(programHash) ?? 1) - 1;
      if (others > 0) this.#submitting.set(programHash, others);
      else this.#submitting.delete(programHash);
      this.#forgetPrograms();
    }
  }

  /**
   * Submits a program again that the application had before, with what was submitted with it. `to`: how its id begins; '': the last one.
   * @throws MillraceError APPLICATION_UNKNOWN, BAD_REQUEST; as submit.
   */
  async rollback(
    name: string,
    { to, withNewProgram }: { readonly to: string; readonly withNewProgram: boolean },
  ): Promise<Started & { readonly application: string }> {
    const { programHash, config: submitted, environment } = rollbackTarget(this.get(name).record, to);
    // How many batches were wanted then was said of that run.
    const { batches: _, ...config } = submitted;
    return this.submit({ name, programHash, config, environment, anew: false, withNewProgram });
  }

  async #submit(request: SubmitRequest): Promise<Started & { readonly application: string }> {
    const { name, programHash, archive } = request;
    if (archive) await this.#deps.bundles.put(programHash, archive);
    const job = await startHost(request, this.#deps);
    let application: Application;
    let record: SubmissionRecord;
    let pending: PlannedBatch | undefined;
    try {
      if (this.#leaving) throw new MillraceError('CANCELLED', 'the driver is stopping');
      checkApplicationName(job.application);
      if (name !== undefined && job.application !== name)
        throw new MillraceError('INTERNAL', `the host calls ${name} ${job.application}`);
      const files = await this.#logFiles(job.application);
      const logged = request.anew ? EMPTY_LOG : loggedState(files);
      ({ pending } = logged);
      const log = this.#applications.has(job.application) ? undefined : await this.#openLog(job.application);
      // From here to `begin` nothing waits: the check and the claim are one.
      this.assertFree(job.application);
      record = this.#recordOf(job.application, request, { ...logged, epoch: loggedEpoch(files) });
      application = this.#claim(record, log);
    } catch (error) {
      job.host.kill();
      throw error;
    }
    const started = await application.begin(record, job, pending);
    return { ...started, application: application.name };
  }

  #claim(record: SubmissionRecord, log: OutputLog | undefined): Application {
    const { name } = record;
    const known = this.#applications.get(name);
    if (known) {
      log?.close();
      return known;
    }
    if (!log) throw new MillraceError('INTERNAL', `the log of ${name} is not open`);
    this.#makeRoom();
    // Over until it begins.
    const application = new Application({ ...record, state: 'STOPPED' }, log, this.#deps);
    this.#applications.set(name, application);
    return application;
  }

  /** Of too many applications the one that is over for longest is forgotten; its log file stays. */
  #makeRoom(): void {
    if (this.#applications.size < APPLICATIONS_MAX) return;
    const over = this.list().filter(({ state }) => isOver(state));
    const [oldest] = over.toSorted((a, b) => a.record.submittedAt - b.record.submittedAt);
    if (!oldest) {
      throw new MillraceError(
        'BAD_REQUEST',
        `${this.#applications.size} applications run; no more are taken`,
      );
    }
    this.#applications.delete(oldest.name);
    oldest.journal.log.close();
    this.#deps.store.remove(oldest.name).catch((error: unknown) => {
      this.#deps.logger.warn({ err: error, application: oldest.name }, 'a submission was not removed');
    });
  }

  /** Of its log: what it says (nothing, where the run begins anew), and the epoch that it has reached. */
  #recordOf(
    name: string,
    { programHash, config, environment, anew, withNewProgram }: SubmitRequest,
    { pending, sums, epoch }: LogState & { readonly epoch: number },
  ): SubmissionRecord {
    const before = this.#applications.get(name)?.record;
    const program = { programHash, config, environment, submittedAt: this.#deps.clock.now() };
    return {
      ...program,
      name,
      earlier: earlierPrograms(before, program, pending),
      ...(withNewProgram && { withNewProgram }),
      desired: 'running',
      state: 'SUBMITTED',
      epoch: before?.epoch ?? 0,
      countedFrom: sums,
      ...(anew && { anewAfter: Math.max(before?.epoch ?? 0, epoch) }),
    };
  }

  /** @throws MillraceError APPLICATION_EXISTS. */
  assertFree(name: string): void {
    if (this.#editing.has(name)) {
      throw new MillraceError('APPLICATION_EXISTS', `the offsets of application ${name} are being changed`, {
        retryable: true,
        remedy: 'Try again in a few seconds.',
      });
    }
    const known = this.#applications.get(name);
    if (!known || isOver(known.state)) return;
    throw new MillraceError('APPLICATION_EXISTS', `application ${name} is ${known.state} already`, {
      remedy: `Stop it first (millrace stop ${name}), or give this one another name (--name).`,
      details: { application: name, state: known.state },
    });
  }

  /**
   * Where an application stands. A change, and a look at Kafka's ends, ask a host that evaluates its last program.
   * @throws MillraceError APPLICATION_UNKNOWN; of a change APPLICATION_EXISTS unless the application is over; LOG_CORRUPT; see editOffsets.
   */
  async offsets(
    name: string,
    {
      change,
      execute,
      ends,
    }: { readonly change?: OffsetChange; readonly execute: boolean; readonly ends: boolean },
  ): Promise<OffsetReport> {
    const { record } = this.get(name);
    if (!change && !ends) return loggedOffsets(name, await this.#logFiles(name));
    if (record.anewAfter !== undefined) throw beginsAnew(name);
    const program = { ...record, anew: false };
    const edit = { change, execute: change !== undefined && execute, knownEpoch: record.epoch };
    if (!change) return editOffsets(program, edit, this.#deps);
    this.assertFree(name);
    this.#editing.add(name);
    try {
      return await editOffsets(program, edit, this.#deps);
    } finally {
      this.#editing.delete(name);
    }
  }

  /** @throws MillraceError APPLICATION_UNKNOWN, LOG_CORRUPT. */
  async log(name: string): Promise<ReadLog> {
    this.get(name);
    return loggedBatches(await this.#logFiles(name));
  }

  async #logFiles(name: string): Promise<LogFiles> {
    return (await this.#deps.checkpoints.open(name)).log;
  }

  /** @throws MillraceError APPLICATION_UNKNOWN. */
  get(name: string): Application {
    const found = this.#applications.get(name);
    if (found) return found;
    const near = nearestName(name, this.#applications.keys());
    throw new MillraceError('APPLICATION_UNKNOWN', `no application is called ${JSON.stringify(name)}`, {
      remedy: near === undefined ? 'See `millrace list`.' : `Did you mean ${near}?`,
    });
  }

  list(): readonly Application[] {
    return [...this.#applications.values()];
  }

  tellSlots(slots: number): void {
    for (const application of this.#applications.values()) application.tellSlots(slots);
  }

  /** Lowest valid epoch of each application that had one. */
  *epochs(): Generator<readonly [string, number]> {
    for (const { name, record, state } of this.#applications.values()) {
      // Until a host takes a new epoch, tasks of the last one belong to a host that is gone.
      if (record.epoch > 0)
        yield [name, state === 'RUNNING' || state === 'STOPPING' ? record.epoch : record.epoch + 1];
    }
  }

  /** Ends the hosts; the applications resume with the next driver. */
  async leave(graceful: boolean, timeoutMs: number): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.list().map((application) => application.leave(graceful, timeoutMs)));
    await this.#deps.store.settled();
  }

  #openLog(name: string): Promise<OutputLog> {
    const { logsDir, logBytesMax, clock, logger } = this.#deps;
    return OutputLog.open({ path: join(logsDir, `${name}.log`), bytesMax: logBytesMax, clock, logger });
  }
}

function beginsAnew(name: string): MillraceError {
  return new MillraceError('BAD_REQUEST', `application ${name} is to begin anew: it has no offsets yet`, {
    remedy: 'Let it begin first (millrace submit).',
  });
}
