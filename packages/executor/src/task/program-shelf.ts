import type { Program } from '@millrace/closures';

/** Programs that are open in this slot: the least recently used is closed when there are too many. */
export class ProgramShelf {
  readonly #open: (dir: string) => Promise<Program>;
  readonly #programsMax: number;
  readonly #programs = new Map<string, Promise<Program>>();

  constructor(open: (dir: string) => Promise<Program>, programsMax: number) {
    this.#open = open;
    this.#programsMax = programsMax;
  }

  get(hash: string, dir: string): Promise<Program> {
    const known = this.#programs.get(hash);
    this.#programs.delete(hash);
    const program = known ?? this.#open(dir);
    this.#programs.set(hash, program);
    if (!known) {
      // One that did not open is tried again by the next task.
      program.catch(() => {
        if (this.#programs.get(hash) === program) this.#programs.delete(hash);
      });
      this.#evict();
    }
    return program;
  }

  #evict(): void {
    for (const [hash, program] of this.#programs) {
      if (this.#programs.size <= this.#programsMax) return;
      this.#programs.delete(hash);
      // What its values' disposal throws concerns nobody any more.
      void program.then((opened) => opened.close()).catch(() => undefined);
    }
  }
}
