import type { Clock } from '@millrace/common';
import type { TaskScheduler } from '../cluster/task-scheduler.ts';
import { hostAnswer } from '../host-process/host-answer.ts';
import type { HostPool } from '../host-process/host-pool.ts';
import { type ValidatedJob, validateJob } from '../host-process/validate-job.ts';
import type { OffsetChange, OffsetReport } from '../offset-report.ts';
import type { BundleStore } from './bundle-store.ts';

export interface StartHostDeps {
  readonly clock: Clock;
  readonly bundles: BundleStore;
  readonly hosts: HostPool;
  readonly scheduler: TaskScheduler;
  readonly applicationsDir: string;
  /** See HostProgramMessage. */
  readonly checkpointStore?: string;
  readonly jobStartTimeoutMs: number;
}

/** A program, and how it is to run. */
export interface HostProgram {
  /** Absent: the job's own name. */
  readonly name: string | undefined;
  readonly programHash: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
  /** What its log says does not count. */
  readonly anew: boolean;
  /** It ends with the batch that is planned and not committed. */
  readonly onlyPending?: boolean;
}

/**
 * A host that has evaluated and checked the program, and waits to be granted its name. Aborted, it is killed.
 * @throws MillraceError PROGRAM_MISSING, HOST_LOST, the job's refusal; the signal's reason.
 */
export async function startHost(
  program: HostProgram,
  deps: StartHostDeps,
  signal?: AbortSignal,
): Promise<ValidatedJob> {
  const { anew, onlyPending = false } = program;
  const { clock, scheduler, jobStartTimeoutMs } = deps;
  const { host, evaluation } = await hostFor(program, deps);
  const { slots } = scheduler;
  return validateJob(
    host,
    { kind: 'start', ...evaluation, slots, anew, onlyPending },
    { clock, timeoutMs: jobStartTimeoutMs, ...(signal ? { signal } : {}) },
  );
}

export interface EditOffsets {
  readonly change: OffsetChange | undefined;
  readonly execute: boolean;
  readonly knownEpoch: number;
}

/**
 * Has a host of its own evaluate the program, and show or move the offsets of the application.
 * @throws MillraceError as startHost; what OffsetEditor throws.
 */
export async function editOffsets(
  program: HostProgram,
  edit: EditOffsets,
  deps: StartHostDeps,
): Promise<OffsetReport> {
  const { clock, jobStartTimeoutMs } = deps;
  const { host, evaluation } = await hostFor(program, deps);
  const request = { kind: 'edit-offsets', ...evaluation, ...edit } as const;
  const { answer } = await hostAnswer(host, request, 'offsets', { clock, timeoutMs: jobStartTimeoutMs });
  host.kill();
  return answer.report;
}

/** A host of its own, and what that is told of the program. */
async function hostFor(
  { name, programHash, config, environment }: HostProgram,
  { bundles, hosts, applicationsDir, checkpointStore }: StartHostDeps,
) {
  const evaluation = {
    application: name,
    programHash,
    programDir: await bundles.unpacked(programHash),
    applicationsDir,
    ...(checkpointStore !== undefined && { checkpointStore }),
    config,
    environment,
  };
  return { host: await hosts.take(), evaluation };
}
