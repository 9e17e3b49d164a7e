import type { Clock, Timer } from '@millrace/common';
import type { SlotOutcome, SlotTask } from './slot.ts';

/** One task that a slot was given. */
export interface SlotRun {
  /** Numbers the runs of one slot process. */
  readonly id: number;
  readonly task: SlotTask;
  /** Its slot was asked to stop it; it keeps its place until the slot says that it has. */
  killReason: string | undefined;
}

interface Entry extends SlotRun {
  readonly settle: (outcome: SlotOutcome | undefined) => void;
  readonly timers: Set<Timer>;
}

/** The tasks that a slot was given, in order: the first one runs, the others wait behind it. */
export class SlotRuns {
  readonly #clock: Clock;
  /** A task came to the front: it runs from now on. */
  readonly #begin: (run: SlotRun) => void;
  #entries: Entry[] = [];
  #count = 0;

  constructor(clock: Clock, begin: (run: SlotRun) => void) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /** How many there ever were. */
  get count(): number {
    return this.#count;
  }

  get running(): SlotRun | undefined {
    return this.#entries[0];
  }

  get waiting(): readonly SlotRun[] {
    return this.#entries.slice(1);
  }

  /** Resolves when the run is settled. */
  add(task: SlotTask): { readonly run: SlotRun; readonly outcome: Promise<SlotOutcome | undefined> } {
    const { promise, resolve } = Promise.withResolvers<SlotOutcome | undefined>();
    const run: Entry = { id: ++this.#count, task, killReason: undefined, settle: resolve, timers: new Set() };
    this.#entries.push(run);
    if (this.#entries[0] === run) this.#begin(run);
    return { run, outcome: promise };
  }

  /** Runs `act` later, unless the run is settled before. */
  after({ id }: SlotRun, ms: number, act: () => void): void {
    const entry = this.#entries.find((known) => known.id === id);
    if (!entry) return;
    const timer = this.#clock.schedule(ms, () => {
      entry.timers.delete(timer);
      act();
    });
    entry.timers.add(timer);
  }

  /** Tells whoever waits for a run how it ended. It keeps its place: whether the slot has begun it is not known yet. */
  answer({ id }: SlotRun, outcome: SlotOutcome): void {
    this.#entries.find((known) => known.id === id)?.settle(outcome);
  }

  /** Takes a run out; the one behind the running one begins. The first answer counts. */
  settle({ id }: SlotRun, outcome: SlotOutcome): void {
    const at = this.#entries.findIndex((known) => known.id === id);
    const [entry] = at === -1 ? [] : this.#entries.splice(at, 1);
    if (!entry) return;
    for (const timer of entry.timers) timer.cancel();
    entry.settle(outcome);
    const next = this.#entries[0];
    if (at === 0 && next) this.#begin(next);
  }

  /** The slot is gone: `outcome` is that of the running one, the others never began. */
  end(outcome: (run: SlotRun) => SlotOutcome): void {
    const entries = this.#entries;
    this.#entries = [];
    for (const [at, entry] of entries.entries()) {
      for (const timer of entry.timers) timer.cancel();
      entry.settle(at === 0 ? outcome(entry) : undefined);
    }
  }
}
