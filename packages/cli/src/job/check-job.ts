import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { JobWarning } from '@millrace/closures';
import { type Clock, type ErrorRecord, MillraceError, unlessAborted, withDeadline } from '@millrace/common';
import { unpackBundle } from '@millrace/proto/task';
import type { PackedJob } from './pack-job.ts';

export interface CheckedJob {
  readonly application: string;
  readonly batchIntervalMs: number;
  readonly notes: readonly string[];
}

export interface CheckOptions {
  readonly config: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly name: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What the job module prints while it is evaluated goes there. */
  readonly output: (text: string) => void;
  /** The engine's log goes there, too. */
  readonly verbose: boolean;
  readonly warn: (warning: JobWarning) => void;
}

/** Where the host writes the engine's log, which is no output of the job. */
const LOG_FD = 4;

/** What a host says of a job; other messages do not concern a check. */
type Verdict =
  | ({ readonly kind: 'validated' } & CheckedJob)
  | { readonly kind: 'refused'; readonly error: ErrorRecord };

type Heard =
  | { readonly kind: 'ready' }
  | { readonly kind: 'event'; readonly event: { readonly warning?: JobWarning } };

/**
 * Evaluates a job in a child process: an application host as the driver starts one, which is given no name and so runs nothing.
 * Every check that a driver makes is made: options, lambdas, topics, start offsets. Nothing is written but a temporary directory.
 * @throws MillraceError what the host refuses it with; JOB_EVALUATION_FAILED (it ended its process), HOST_LOST, DEADLINE_EXCEEDED, CANCELLED.
 */
export async function checkJob(job: PackedJob, options: CheckOptions): Promise<CheckedJob> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-check-'));
  try {
    const programDir = join(directory, 'program');
    for (const { path, content } of unpackBundle(job.archive)) {
      await mkdir(dirname(join(programDir, path)), { recursive: true });
      await writeFile(join(programDir, path), content);
    }
    return await evaluate(job, programDir, directory, options);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function evaluate(
  { programHash }: PackedJob,
  programDir: string,
  directory: string,
  options: CheckOptions,
): Promise<CheckedJob> {
  const host = fork(hostMain(), [String(LOG_FD)], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
  });
  const verdict = Promise.withResolvers<Verdict>();
  let hasSpoken = false;
  for (const stream of [host.stdout, host.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      hasSpoken = true;
      options.output(text);
    });
  }
  // Read in any case: a full pipe would hold the host up.
  const log = host.stdio[LOG_FD] as Readable;
  log.setEncoding('utf8').on('data', (text: string) => {
    if (options.verbose) options.output(text);
  });
  host.on('message', (message: Verdict | Heard) => {
    if (message.kind === 'ready') {
      const applicationsDir = join(directory, 'applications');
      const { config, environment, name: application } = options;
      host.send({
        kind: 'start',
        application,
        programHash,
        programDir,
        applicationsDir,
        config,
        environment,
        slots: 1,
      });
    } else if (message.kind === 'event') {
      if (message.event.warning) options.warn(message.event.warning);
    } else if (message.kind === 'validated' || message.kind === 'refused') verdict.resolve(message);
  });
  host.once('error', verdict.reject);
  host.once('close', (code, signal) => {
    verdict.reject(endedEarly(code, signal, hasSpoken));
  });
  try {
    const result = await withDeadline(
      unlessAborted(verdict.promise, options.signal, 'the check was interrupted'),
      options.timeoutMs,
      () => tooLong(options.timeoutMs),
      options.clock,
    );
    if (result.kind === 'refused') throw MillraceError.fromRecord(result.error);
    return result;
  } finally {
    host.kill('SIGKILL');
  }
}

function tooLong(ms: number): MillraceError {
  return new MillraceError('DEADLINE_EXCEEDED', `the job was not evaluated within ${ms} ms`, {
    remedy:
      'Look for a loop that never ends, or a call that waits, at the top level of a module or in the job function; or for a broker that does not answer.',
  });
}

/** It ended itself, which is the job's fault, or something ended it. */
function endedEarly(code: number | null, signal: string | null, hasSpoken: boolean): MillraceError {
  const lastWords = hasSpoken ? '; its last words are above' : '';
  if (signal !== null)
    return new MillraceError(
      'HOST_LOST',
      `the process that evaluates the job was ended by ${signal}${lastWords}`,
    );
  return new MillraceError(
    'JOB_EVALUATION_FAILED',
    `the job ended the process that evaluates it, with code ${code}${lastWords}`,
    { remedy: 'A job module must not end its process: look for process.exit().' },
  );
}

/** The module that the driver runs as an application host, of the driver that is installed here. */
function hostMain(): string {
  const driver = import.meta.resolve('@millrace/driver');
  const extension = driver.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`application/host-main${extension}`, driver));
}
