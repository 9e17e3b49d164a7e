import { invariant } from '@millrace/common';
import type { Membership } from './placement.ts';
import type { AttemptKey } from './scheduler-messages.ts';

/** An attempt that a slot was given. It stays until the executor says that it ended, though its set may be over. */
export interface Occupant {
  readonly attemptId: string;
  readonly key: AttemptKey;
  /** Infinity: not known. */
  readonly expectedMs: number;
  /** Monotonic, ms: since then it runs, or waits behind another one. */
  since: number;
  /** The executor was asked to give it back if it has not begun. */
  recalled: boolean;
}

/** One slot of one executor, as the driver sees it. */
export interface Slot {
  readonly executor: Executor;
  readonly index: number;
  /** Executor and index in one text. */
  readonly name: string;
  /** Said by the executor: its process lives. */
  ready: boolean;
  /** The first one runs, the others wait behind it. */
  readonly occupants: Occupant[];
}

export interface Executor {
  readonly id: string;
  readonly host: string;
  draining: boolean;
  readonly slots: Map<number, Slot>;
  readonly free: Set<Slot>;
}

/** All slots of all executors, and which of them are free. */
export class SlotPool implements Membership {
  readonly #executors = new Map<string, Executor>();
  readonly #free = new Set<Slot>();
  readonly #crowded = new Set<Slot>();
  #version = 0;
  #ids: readonly string[] = [];
  #members: ReadonlySet<string> = new Set();
  #byHost = new Map<string, string[]>();

  get version(): number {
    return this.#version;
  }

  /** Executors that take tasks now. One with no live slot is no home. */
  get ids(): readonly string[] {
    return this.#ids;
  }

  isMember(id: string): boolean {
    return this.#members.has(id);
  }

  idsOnHost(host: string): readonly string[] {
    return this.#byHost.get(host) ?? [];
  }

  get free(): ReadonlySet<Slot> {
    return this.#free;
  }

  /** Slots in which something waits: behind another task, or for the slot's process. */
  get crowded(): ReadonlySet<Slot> {
    return this.#crowded;
  }

  executor(id: string): Executor | undefined {
    return this.#executors.get(id);
  }

  executors(): Iterable<Executor> {
    return this.#executors.values();
  }

  add(id: string, host: string): void {
    invariant(!this.#executors.has(id), `executor ${id} joined twice`);
    this.#executors.set(id, { id, host, draining: false, slots: new Map(), free: new Set() });
  }

  /** Its slots are gone; those that were running are returned. */
  remove(id: string): readonly Slot[] {
    const executor = this.#executors.get(id);
    if (!executor) return [];
    for (const slot of executor.slots.values()) {
      this.#free.delete(slot);
      this.#crowded.delete(slot);
    }
    this.#executors.delete(id);
    this.#countMembers();
    return [...executor.slots.values()].filter((slot) => slot.occupants.length > 0);
  }

  /** Free slots that became so are returned. */
  setReady(id: string, ready: readonly number[]): readonly Slot[] {
    const executor = this.#executors.get(id);
    if (!executor) return [];
    const live = new Set(ready);
    for (const index of live) {
      if (executor.slots.has(index)) continue;
      const name = `${id}#${index}`;
      executor.slots.set(index, { executor, index, name, ready: false, occupants: [] });
    }
    const freed: Slot[] = [];
    for (const slot of executor.slots.values()) {
      slot.ready = live.has(slot.index);
      if (this.#place(slot)) freed.push(slot);
    }
    this.#countMembers();
    return freed;
  }

  setDraining(id: string): void {
    const executor = this.#executors.get(id);
    if (!executor) return;
    executor.draining = true;
    for (const slot of executor.slots.values()) this.#place(slot);
    this.#countMembers();
  }

  occupy(slot: Slot, occupant: Occupant): void {
    slot.occupants.push(occupant);
    this.#place(slot);
  }

  /** The slot, when it had this attempt. */
  release(executorId: string, index: number, attemptId: string, now: number): Slot | undefined {
    const slot = this.#executors.get(executorId)?.slots.get(index);
    if (!slot?.occupants.some((occupant) => occupant.attemptId === attemptId)) return undefined;
    this.#vacate(slot, (occupant) => occupant.attemptId === attemptId, now);
    return slot;
  }

  /** Slots with occupants that are meant; they are rid of them now. */
  releaseWhere(isMeant: (occupant: Occupant) => boolean, now: number): readonly Slot[] {
    const released: Slot[] = [];
    for (const executor of this.#executors.values()) {
      for (const slot of executor.slots.values()) if (slot.occupants.some(isMeant)) released.push(slot);
    }
    for (const slot of released) this.#vacate(slot, isMeant, now);
    return released;
  }

  #vacate(slot: Slot, isMeant: (occupant: Occupant) => boolean, now: number): void {
    const [before] = slot.occupants;
    const staying = slot.occupants.filter((occupant) => !isMeant(occupant));
    slot.occupants.splice(0, Number.POSITIVE_INFINITY, ...staying);
    const [running] = staying;
    if (running && running !== before) running.since = now;
    this.#place(slot);
    // The last slot of an executor that leaves: it is no home any more.
    if (!slot.ready) this.#countMembers();
  }

  /** Live slots of all executors that take tasks. */
  get readyCount(): number {
    let count = 0;
    for (const executor of this.#executors.values()) if (!executor.draining) count += readyCount(executor);
    return count;
  }

  #place(slot: Slot): boolean {
    if (slot.occupants.length > (slot.ready ? 1 : 0)) this.#crowded.add(slot);
    else this.#crowded.delete(slot);
    const free = slot.ready && slot.occupants.length === 0 && !slot.executor.draining;
    if (free === slot.executor.free.has(slot)) return false;
    if (free) {
      slot.executor.free.add(slot);
      this.#free.add(slot);
    } else {
      slot.executor.free.delete(slot);
      this.#free.delete(slot);
    }
    return free;
  }

  #countMembers(): void {
    const members = [...this.#executors.values()].filter(
      (executor) => !executor.draining && isLive(executor),
    );
    const ids = members.map(({ id }) => id);
    if (ids.length === this.#ids.length && ids.every((id, index) => id === this.#ids[index])) return;
    this.#ids = ids;
    this.#members = new Set(ids);
    this.#version++;
    this.#byHost = new Map();
    for (const { id, host } of members) {
      const same = this.#byHost.get(host);
      if (same) same.push(id);
      else this.#byHost.set(host, [id]);
    }
  }
}

export function readyCount(executor: Executor): number {
  let count = 0;
  for (const slot of executor.slots.values()) if (slot.ready) count++;
  return count;
}

function isLive(executor: Executor): boolean {
  for (const slot of executor.slots.values()) if (slot.ready || slot.occupants.length > 0) return true;
  return false;
}
