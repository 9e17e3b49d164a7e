import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, type ErrorRecord, MillraceError, withDeadline } from '@millrace/common';
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
}

/** What a host says of a job; other messages do not concern a check. */
type Verdict =
  | ({ readonly kind: 'validated' } & CheckedJob)
  | { readonly kind: 'refused'; readonly error: ErrorRecord };

/**
 * Evaluates a job in a child process: an application host as the driver starts one, which is given no name and so runs nothing.
 * Every check that a driver makes is made: options, lambdas, topics, start offsets. Nothing is written but a temporary directory.
 * @throws MillraceError what the host refuses it with; HOST_LOST, DEADLINE_EXCEEDED, CANCELLED.
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
  const host = fork(hostMain(), [], { serialization: 'advanced', stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const verdict = Promise.withResolvers<Verdict>();
  const abort = (): void => verdict.reject(new MillraceError('CANCELLED', 'the check was interrupted'));
  options.signal.addEventListener('abort', abort, { once: true });
  for (const stream of [host.stdout, host.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => options.output(text));
  }
  host.on('message', (message: Verdict | { readonly kind: 'ready' | 'event' }) => {
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
    } else if (message.kind === 'validated' || message.kind === 'refused') verdict.resolve(message);
  });
  host.once('error', verdict.reject);
  host.once('close', (code, signal) => {
    verdict.reject(
      new MillraceError(
        'HOST_LOST',
        `the process that evaluates the job ended ${signal ?? `with code ${code}`}`,
        {
          remedy: 'A job module must not end its process; its last words are above.',
        },
      ),
    );
  });
  try {
    const result = await withDeadline(
      verdict.promise,
      options.timeoutMs,
      'the check of the job',
      options.clock,
    );
    if (result.kind === 'refused') throw MillraceError.fromRecord(result.error);
    return result;
  } finally {
    options.signal.removeEventListener('abort', abort);
    host.kill('SIGKILL');
  }
}

/** The module that the driver runs as an application host, of the driver that is installed here. */
function hostMain(): string {
  const driver = import.meta.resolve('@millrace/driver');
  const extension = driver.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`application/host-main${extension}`, driver));
}
