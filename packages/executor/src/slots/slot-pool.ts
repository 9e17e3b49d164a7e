import { type Clock, type Logger, MillraceError, messageOf, withDeadline } from '@millrace/common';
import { NO_METRICS, type Slot, type SlotHealth, type SlotOutcome, type SlotTask } from './slot.ts';

export interface SlotPoolOptions {
  readonly slots: number;
  readonly createSlot: (index: number) => Slot;
  /** Called with the slots whose process lives and can take tasks, whenever they change. */
  readonly onReadyChanged: (ready: readonly number[]) => void;
  /** How long a task waits for its slot to be started or to be rid of a task that was killed. */
  readonly slotWaitMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const RESTART_DELAY_MS = 100;
const RESTART_DELAY_MS_MAX = 10_000;

/** One place of the pool; its slot is replaced when it dies. */
interface Place {
  readonly index: number;
  slot: Slot;
  ready: boolean;
  task: SlotTask | undefined;
  /** Deaths in a row of slots that never were of use. */
  failures: number;
  /** Resolves when something changed: the slot is ready, or free again. */
  changed: PromiseWithResolvers<void>;
}

/** The slots of an executor. A dead one is replaced at once; one that dies again and again, with a growing delay. */
export class SlotPool {
  readonly #options: SlotPoolOptions;
  readonly #places: Place[];
  readonly #stopping = new AbortController();
  /** Tasks that wait for their slot, and why they are killed. */
  readonly #waiting = new Map<SlotTask, string | undefined>();

  constructor(options: SlotPoolOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.slots }, (_, index) => {
      const place: Place = {
        index,
        slot: options.createSlot(index),
        ready: false,
        task: undefined,
        failures: 0,
        changed: Promise.withResolvers<void>(),
      };
      void this.#keepAlive(place);
      return place;
    });
  }

  /** Resolves when every slot is ready. @throws what `slotWaitMs` of waiting ended in. */
  async started(): Promise<void> {
    const all = Promise.all(this.#places.map((place) => this.#until(place, () => place.ready)));
    await withDeadline(all, this.#options.slotWaitMs, 'starting the slots', this.#options.clock);
  }

  get ready(): readonly number[] {
    return this.#places.filter((place) => place.ready).map((place) => place.index);
  }

  /** Runs a task in a slot. Never rejects. One task may wait while the slot is being replaced or rid of another. */
  async run(index: number, task: SlotTask): Promise<SlotOutcome> {
    const place = this.#places[index];
    if (!place) return failed(new MillraceError('BAD_REQUEST', `there is no slot ${index}`));
    try {
      // Most slots are free: then the task is taken in this very turn.
      if (!isFree(place)) await this.#wait(place, task);
      this.#stopping.signal.throwIfAborted();
    } catch (error) {
      return failed(MillraceError.from(error, 'EXECUTOR_LOST'));
    }
    place.task = task;
    const { slot } = place;
    const outcome = await slot.run(task);
    // Said before the outcome: a task for this slot would find nobody.
    if (slot.isGone && place.slot === slot) this.#setReady(place, false);
    if (outcome.kind === 'succeeded') place.failures = 0;
    place.task = undefined;
    announce(place);
    return outcome;
  }

  /** Kills the tasks that `isMeant` picks; their outcomes are TASK_KILLED. */
  kill(isMeant: (task: SlotTask) => boolean, reason: string): void {
    for (const task of this.#waiting.keys()) if (isMeant(task)) this.#waiting.set(task, reason);
    for (const place of this.#places) {
      if (place.task && isMeant(place.task)) place.slot.kill(reason);
      announce(place);
    }
  }

  health(): readonly (SlotHealth & { readonly slot: number })[] {
    return this.#places.map((place) => ({ ...place.slot.health(), slot: place.index }));
  }

  async close(): Promise<void> {
    this.#stopping.abort(new MillraceError('EXECUTOR_LOST', 'the executor is stopping'));
    for (const place of this.#places) announce(place);
    await Promise.all(this.#places.map((place) => place.slot.close()));
  }

  /** Waits until the slot is free, and takes it for `task`: several may wait, and only the first to come back finds it so. */
  async #wait(place: Place, task: SlotTask): Promise<void> {
    const { clock, slotWaitMs } = this.#options;
    const deadline = clock.monotonic() + slotWaitMs;
    const isOver = (): boolean => isFree(place) || this.#waiting.get(task) !== undefined;
    this.#waiting.set(task, undefined);
    try {
      while (!isOver()) {
        const leftMs = Math.max(0, deadline - clock.monotonic());
        await withDeadline(this.#until(place, isOver), leftMs, `waiting for slot ${place.index}`, clock);
      }
      const killed = this.#waiting.get(task);
      if (killed !== undefined) throw new MillraceError('TASK_KILLED', `the task was killed: ${killed}`);
      place.task = task;
    } finally {
      this.#waiting.delete(task);
    }
  }

  async #until(place: Place, condition: () => boolean): Promise<void> {
    while (!condition()) {
      this.#stopping.signal.throwIfAborted();
      await place.changed.promise;
    }
  }

  async #keepAlive(place: Place): Promise<void> {
    const { log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await place.slot.start();
        this.#setReady(place, true);
      } catch (error) {
        log.error({ slot: place.index, reason: messageOf(error) }, 'a slot did not start');
      }
      const end = await place.slot.ended;
      this.#setReady(place, false);
      place.failures = end.wasUseful ? 0 : place.failures + 1;
      if (this.#stopping.signal.aborted) return;
      await this.#replace(place);
    }
  }

  async #replace(place: Place): Promise<void> {
    const { log, createSlot } = this.#options;
    for (;;) {
      await this.#backOff(place);
      if (this.#stopping.signal.aborted) return;
      try {
        place.slot = createSlot(place.index);
        return;
      } catch (error) {
        // The system has no memory for a process now.
        log.error({ slot: place.index, reason: messageOf(error) }, 'a slot could not be made');
        place.failures++;
      }
    }
  }

  async #backOff(place: Place): Promise<void> {
    if (place.failures === 0) return;
    const ms = Math.min(RESTART_DELAY_MS * 2 ** (place.failures - 1), RESTART_DELAY_MS_MAX);
    await this.#options.clock.sleep(ms, this.#stopping.signal).catch(() => undefined);
  }

  #setReady(place: Place, ready: boolean): void {
    if (place.ready === ready) return;
    place.ready = ready;
    announce(place);
    this.#options.onReadyChanged(this.ready);
  }
}

function isFree(place: Place): boolean {
  return place.ready && place.task === undefined;
}

function announce(place: Place): void {
  const { changed } = place;
  place.changed = Promise.withResolvers<void>();
  changed.resolve();
}

function failed(error: MillraceError): SlotOutcome {
  return { kind: 'failed', error: MillraceError.toRecord(error), metrics: NO_METRICS };
}
