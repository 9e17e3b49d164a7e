import { type Clock, type Logger, MillraceError, messageOf, withDeadline } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import { NO_METRICS, type Slot, type SlotHealth, type SlotOutcome, type SlotTask } from './slot.ts';
import { slowStart } from './slot-death.ts';

export interface SlotPoolOptions {
  readonly slots: number;
  readonly createSlot: (index: number) => Slot;
  /** Called with the slots whose process lives and can take tasks, whenever they change. */
  readonly onReadyChanged: (ready: readonly number[]) => void;
  /** How long a task waits for its slot to be started (again). */
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
  /** Deaths in a row of slots that never were of use. */
  failures: number;
  /** Resolves when something changed: the slot is ready, or what waits for it is killed. */
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
    const { slotWaitMs, clock } = this.#options;
    await withDeadline(all, slotWaitMs, () => slowStart('not all slots were ready', slotWaitMs), clock);
  }

  get ready(): readonly number[] {
    return this.#places.filter((place) => place.ready).map((place) => place.index);
  }

  /**
   * Runs a task in a slot, behind those that the slot was given before. Never rejects. When the slot ends before the task's turn, the one
   * that takes its place runs it.
   */
  async run(index: number, task: SlotTask): Promise<SlotOutcome> {
    const place = this.#places[index];
    if (!place) return failed(new MillraceError('BAD_REQUEST', `there is no slot ${index}`));
    for (;;) {
      try {
        // Most slots are ready: then the task is given in this very turn.
        if (!place.ready) await this.#wait(place, task);
        this.#stopping.signal.throwIfAborted();
      } catch (error) {
        return failed(MillraceError.from(error, 'EXECUTOR_LOST'));
      }
      const { slot } = place;
      const outcome = await slot.run(task);
      // Said before the outcome: a task for this slot would find nobody.
      if (slot.isGone && place.slot === slot) this.#setReady(place, false);
      if (outcome?.kind === 'succeeded') place.failures = 0;
      if (outcome) return outcome;
    }
  }

  /** Kills the tasks that `isMeant` picks (`onlyWaiting`: of those that have not begun); their outcomes are TASK_KILLED. */
  kill(isMeant: (task: SlotTask) => boolean, reason: string, onlyWaiting = false): void {
    for (const task of this.#waiting.keys()) if (isMeant(task)) this.#waiting.set(task, reason);
    for (const place of this.#places) {
      place.slot.kill(isMeant, reason, onlyWaiting);
      announce(place);
    }
  }

  prefetch(index: number, ranges: readonly OffsetRange[]): void {
    this.#places[index]?.slot.prefetch(ranges);
  }

  health(): readonly (SlotHealth & { readonly slot: number })[] {
    return this.#places.map((place) => ({ ...place.slot.health(), slot: place.index }));
  }

  dropBlobs(hashes: readonly string[]): void {
    for (const { slot } of this.#places) slot.dropBlobs(hashes);
  }

  /** See Slot.dropApplication. */
  dropApplication(application: string, belowEpoch: number): void {
    for (const { slot } of this.#places) slot.dropApplication(application, belowEpoch);
  }

  /** Each slot may dispose what tasks left for at most `graceMs`. */
  async close(graceMs = 0): Promise<void> {
    this.#stopping.abort(new MillraceError('EXECUTOR_LOST', 'the executor is stopping'));
    for (const place of this.#places) announce(place);
    await Promise.all(this.#places.map((place) => place.slot.close(graceMs)));
  }

  /** Waits until there is a slot in this place. */
  async #wait(place: Place, task: SlotTask): Promise<void> {
    const { clock, slotWaitMs } = this.#options;
    const isOver = (): boolean => place.ready || this.#waiting.get(task) !== undefined;
    this.#waiting.set(task, undefined);
    try {
      await withDeadline(this.#until(place, isOver), slotWaitMs, `waiting for slot ${place.index}`, clock);
      const killed = this.#waiting.get(task);
      if (killed !== undefined) throw new MillraceError('TASK_KILLED', `the task was killed: ${killed}`);
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

function announce(place: Place): void {
  const { changed } = place;
  place.changed = Promise.withResolvers<void>();
  changed.resolve();
}

function failed(error: MillraceError): SlotOutcome {
  return { kind: 'failed', error: MillraceError.toRecord(error), metrics: NO_METRICS };
}
