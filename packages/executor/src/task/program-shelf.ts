import type { Program } from '@millrace/closures';
import type { TaskKey } from '@millrace/proto';

export interface ProgramShelfOptions {
  readonly open: (dir: string) => Promise<Program>;
  readonly programsMax: number;
  /** A `perExecutor` value could not be disposed. */
  readonly onDisposeFailure: (error: unknown) => void;
}

/** A program while a task uses it. */
export interface ProgramLease {
  readonly program: Promise<Program>;
  /** The task is over. */
  release(): void;
}

interface Shelved {
  readonly application: string;
  readonly program: Promise<Program>;
  /** Of the last task that used it. */
  epoch: number;
  users: number;
  /** It is no longer on the shelf; whoever uses it last closes it. */
  isDropped: boolean;
}

/**
 * Programs that are open in this slot, each with its `perExecutor` values: one of each application, so that its end ends them.
 * The least recently used is closed when there are too many.
 */
export class ProgramShelf {
  readonly #options: ProgramShelfOptions;
  readonly #programs = new Map<string, Shelved>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: ProgramShelfOptions) {
    this.#options = options;
  }

  lease({ application, epoch, batchTime }: TaskKey, hash: string, dir: string): ProgramLease {
    const id = `${hash}/${application}`;
    const shelved = this.#programs.get(id) ?? {
      application,
      program: this.#options.open(dir),
      epoch,
      users: 0,
      isDropped: false,
    };
    // The newest is the last.
    this.#programs.delete(id);
    this.#programs.set(id, shelved);
    shelved.epoch = epoch;
    shelved.users++;
    // One that did not open is tried again by the next task.
    shelved.program.catch(() => {
      if (this.#programs.get(id) === shelved) this.#programs.delete(id);
    });
    this.#evict();
    return { program: shelved.program, release: () => this.#release(shelved, batchTime) };
  }

  /** Closes what only older epochs of an application used. */
  dropApplication(application: string, belowEpoch: number): void {
    for (const [id, shelved] of this.#programs)
      if (shelved.application === application && shelved.epoch < belowEpoch) this.#drop(id, shelved);
  }

  /** Closes all; resolves when that is done. */
  async close(): Promise<void> {
    for (const [id, shelved] of this.#programs) this.#drop(id, shelved);
    while (this.#closing.size > 0) await Promise.all(this.#closing);
  }

  #release(shelved: Shelved, batchTime: number): void {
    shelved.users--;
    this.#settle(shelved, (program) => program.endTask(batchTime));
    if (shelved.isDropped && shelved.users === 0) this.#settle(shelved, (program) => program.close());
  }

  #evict(): void {
    for (const [id, shelved] of this.#programs) {
      if (this.#programs.size <= this.#options.programsMax) return;
      if (shelved.users === 0) this.#drop(id, shelved);
    }
  }

  #drop(id: string, shelved: Shelved): void {
    this.#programs.delete(id);
    shelved.isDropped = true;
    if (shelved.users === 0) this.#settle(shelved, (program) => program.close());
  }

  #settle(shelved: Shelved, act: (program: Program) => Promise<void>): void {
    const settled = shelved.program
      // One that did not open has nothing to dispose; its task has failed with the reason.
      .then(
        (program) => act(program).catch(this.#options.onDisposeFailure),
        () => undefined,
      )
      .finally(() => this.#closing.delete(settled));
    this.#closing.add(settled);
  }
}
