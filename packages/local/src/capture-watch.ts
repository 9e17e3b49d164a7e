import type { CapturedChange } from '@millrace/closures';
import type { PipelineRequest } from '@millrace/executor';

/** More places than this are no list that anybody reads. */
const TOLD_MAX = 1_000;

/**
 * Warns, once a place, when a task changed an object that its lambda captured: on a cluster the change is lost with the task's copy, and
 * here, too; who wrote it may have meant to count or to collect.
 */
export class CaptureWatch {
  readonly #warn: (text: string) => void;
  readonly #changesOf = new WeakMap<object, () => readonly CapturedChange[]>();
  readonly #told = new Set<string>();

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** `changes`: what has changed since `fn` was revived. */
  add(fn: object, changes: () => readonly CapturedChange[]): void {
    this.#changesOf.set(fn, changes);
  }

  /** A task with these functions is over. */
  check({ operators, action, keyDecode, valueDecode }: PipelineRequest['functions']): void {
    for (const fn of [...operators.flat(), ...action, keyDecode, valueDecode]) {
      if (fn === undefined) continue;
      for (const change of this.#changesOf.get(fn)?.() ?? []) this.#tell(change);
      this.#changesOf.delete(fn);
    }
  }

  #tell({ path, name, place, declared }: CapturedChange): void {
    const id = `${place} ${path}`;
    if (this.#told.has(id) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(id);
    const where = declared === undefined ? '' : ` (\`${name}\` is declared at ${declared})`;
    this.#warn(
      `a task changed \`${path}\`, which the function at ${place} captured${where}: each task has a copy of its own, which is gone with it. ` +
        'Use an accumulator, return rows, or keep state with perExecutor(() => …)',
    );
  }
}
