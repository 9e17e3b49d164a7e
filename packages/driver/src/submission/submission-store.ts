import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorRecord, MillraceError } from '@millrace/common';
import type { LoggedSums } from '../application/log/logged-sums.ts';
import type { ApplicationState } from './application-state.ts';
import type { Totals } from './application-totals.ts';
import { readJson, writeDurably } from './durable-file.ts';
import { type AssertHeld, stateDirLost } from './state-dir.ts';

const VERSION = 1;

/** A program, and what was submitted with it. */
export interface SubmittedProgram {
  readonly programHash: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
  /** ms since 1970. */
  readonly submittedAt: number;
}

/** What the driver must know of an application after its own restart. */
export interface SubmissionRecord extends SubmittedProgram {
  readonly name: string;
  /** Programs of earlier submissions, newest first: for a rollback, and for a batch that one of them has planned. */
  readonly earlier: readonly SubmittedProgram[];
  /** A batch that an earlier program has planned runs with this one. */
  readonly withNewProgram?: boolean;
  readonly desired: 'running' | 'stopped';
  readonly state: ApplicationState;
  readonly epoch: number;
  /** It is to begin anew, and has not yet: a log that ends with this epoch, or before it, is to be set aside. */
  readonly anewAfter?: number;
  readonly error?: ErrorRecord;
  /** What this run has done; may be some seconds old. */
  readonly totals?: Partial<Totals>;
  /** The sums of the log before this run. Absent: of a run that a version of Millrace without them has begun. */
  readonly countedFrom?: LoggedSums;
}

/** A name that is also a file's name: nothing that leaves the directory, no surprises in a shell. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** @throws MillraceError BAD_REQUEST. */
export function checkApplicationName(name: string): void {
  if (NAME.test(name)) return;
  throw new MillraceError(
    'BAD_REQUEST',
    `${JSON.stringify(name.slice(0, 200))} is no name of an application`,
    {
      remedy:
        'Use at most 100 letters, digits, dots, dashes and underscores, beginning with a letter or digit.',
    },
  );
}

/** Submissions and desired states, one file an application. */
export class SubmissionStore {
  readonly #directory: string;
  readonly #assertHeld: AssertHeld;
  readonly #writes = new Map<string, Promise<void>>();

  private constructor(directory: string, assertHeld: AssertHeld) {
    this.#directory = directory;
    this.#assertHeld = assertHeld;
  }

  static async open(stateDir: string, assertHeld: AssertHeld): Promise<SubmissionStore> {
    const directory = join(stateDir, 'submissions');
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new SubmissionStore(directory, assertHeld);
  }

  /** @throws MillraceError LOG_CORRUPT. */
  async load(): Promise<readonly SubmissionRecord[]> {
    const files = (await readdir(this.#directory)).filter((file) => file.endsWith('.json')).toSorted();
    return Promise.all(files.map(async (file) => this.#parse(join(this.#directory, file))));
  }

  async #parse(path: string): Promise<SubmissionRecord> {
    const stored = (await readJson(path)) as { version?: unknown; submission?: SubmissionRecord } | null;
    if (stored?.version !== VERSION || typeof stored.submission?.name !== 'string') {
      throw new MillraceError('LOG_CORRUPT', `${path} is no submission of version ${VERSION}`, {
        remedy:
          'Run the driver version that wrote it, or move the file away and submit the application again.',
        details: { path },
      });
    }
    // Before 0.1.0 only the hashes of earlier programs were kept: without what was submitted with them they are of no use.
    return { ...stored.submission, earlier: stored.submission.earlier ?? [] };
  }

  /**
   * Durable when it resolves. What is done to one application happens in the order of the calls.
   * @throws MillraceError LOG_WRITE_FAILED, FENCED.
   */
  async save(record: SubmissionRecord): Promise<void> {
    const content = JSON.stringify({ version: VERSION, submission: record });
    try {
      await this.#inOrder(record.name, (path) => writeDurably(path, content));
    } catch (error) {
      throw stateDirLost(this.#directory, error);
    }
  }

  remove(name: string): Promise<void> {
    return this.#inOrder(name, (path) => rm(path, { force: true }));
  }

  #inOrder(name: string, act: (path: string) => Promise<void>): Promise<void> {
    const path = join(this.#directory, `${name}.json`);
    const before = this.#writes.get(name) ?? Promise.resolve();
    const write = before
      .catch(() => undefined)
      .then(this.#assertHeld)
      .then(() => act(path))
      .finally(() => this.#writes.get(name) === write && this.#writes.delete(name));
    this.#writes.set(name, write);
    return write;
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#writes.values());
  }
}
