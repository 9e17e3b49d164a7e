import type { StateSectionRef } from '@millrace/proto/task';
import { loadState, type StateLoad } from './state-load.ts';
import { type StateRow, StateTable } from './state-table.ts';

/** The state of one partition, in the hands of one task. */
export interface OpenState {
  readonly table: StateTable;
  /** What the table holds is not what its version says any more: values were handed out that a function may have changed, or were migrated. */
  soil(): void;
  /** What the task changed makes this version: when the next batch stands on it, it is the state. */
  made(version: string): void;
}

export interface StateWanted {
  readonly application: string;
  readonly epoch: number;
  readonly batchTime: number;
  readonly operator: string;
  readonly layout: string;
  readonly partition: number;
}

interface Held {
  table: StateTable;
  /** undefined: the empty one. */
  version: string | undefined;
  /** What the table is with its changes. */
  pending: string | undefined;
  isSoiled: boolean;
  epoch: number;
  /** Batch of its operator in which it was last used. */
  usedAt: number;
  readonly application: string;
  readonly operator: string;
}

/** Batches of its operator after which a partition that is not used here is forgotten: it lives elsewhere now. */
const IDLE_BATCHES_MAX = 8;

/**
 * Keyed state that this process holds, by application, operator, layout and partition, each with the version that it is. Versions decide
 * everything: a task names the one that it stands on; what is here counts only when it is that one, and is read from files otherwise.
 */
export class StateStore {
  readonly #held = new Map<string, Held>();
  /** Batches in which tasks of each operator ran here: how many, and the last one. */
  readonly #batches = new Map<string, { count: number; last: number }>();

  /** Partitions. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * The state of version `base` (undefined: the empty one), ready for the changes of a task. What an earlier task changed and nobody stands on
   * is gone.
   * @throws MillraceError STATE_CORRUPT; what fetching throws.
   */
  async open(wanted: StateWanted, base: StateSectionRef | undefined, load: StateLoad): Promise<OpenState> {
    const id = idOf(wanted);
    this.#forgetIdle(wanted);
    const held = this.#held.get(id) ?? this.#fresh(wanted);
    const version = base?.version;
    if (held.pending !== undefined && held.pending === version) {
      held.table.promote();
      held.version = version;
      held.isSoiled = false;
    } else held.table.discard();
    held.pending = undefined;
    if (held.isSoiled || (base === undefined && held.version !== undefined)) empty(held);
    if (base !== undefined && held.version !== version) {
      const { table, version: has } = held;
      // Half a load is nothing.
      empty(held);
      held.table = await loadState(load, base, table, has);
      held.version = version;
    }
    held.epoch = wanted.epoch;
    held.usedAt = this.#count(wanted);
    this.#held.set(id, held);
    return handOut(held);
  }

  /** The keys of a task's partition, out of the state of all partitions of another layout. @throws as `open`. */
  async gather(
    wanted: StateWanted,
    bases: readonly (StateSectionRef | undefined)[],
    load: StateLoad,
  ): Promise<OpenState> {
    const held = this.#fresh(wanted);
    const rows: StateRow[] = [];
    for (const base of bases) {
      if (base === undefined) continue;
      const part = await loadState(load, base, new StateTable(), undefined);
      for (const row of part.rows()) rows.push(row);
    }
    // Of one time: in the order of the partitions.
    rows.sort((a, b) => a.at - b.at);
    for (const { key, value, at } of rows) held.table.put(key, value, at);
    // No version names what was gathered: tried again, it is gathered again.
    held.isSoiled = true;
    held.usedAt = this.#count(wanted);
    this.#held.set(idOf(wanted), held);
    return handOut(held);
  }

  /** Older epochs of the application are over. */
  dropApplication(application: string, belowEpoch: number): void {
    for (const [id, held] of this.#held)
      if (held.application === application && held.epoch < belowEpoch) this.#held.delete(id);
    if (![...this.#held.values()].some((held) => held.application === application)) {
      for (const name of this.#batches.keys())
        if (name.startsWith(`${application}/`)) this.#batches.delete(name);
    }
  }

  #fresh({ application, operator, epoch }: StateWanted): Held {
    return {
      table: new StateTable(),
      version: undefined,
      pending: undefined,
      isSoiled: false,
      epoch,
      usedAt: 0,
      application,
      operator,
    };
  }

  /** Number of the batch, among those of the operator that had tasks here. */
  #count({ application, operator, batchTime }: StateWanted): number {
    const name = `${application}/${operator}`;
    const batches = this.#batches.get(name) ?? { count: 0, last: batchTime };
    if (batches.last !== batchTime) batches.count++;
    batches.last = batchTime;
    this.#batches.set(name, batches);
    return batches.count;
  }

  #forgetIdle({ application }: StateWanted): void {
    for (const [id, held] of this.#held) {
      if (held.application !== application) continue;
      const count = this.#batches.get(`${application}/${held.operator}`)?.count ?? 0;
      if (count - held.usedAt > IDLE_BATCHES_MAX) this.#held.delete(id);
    }
  }
}

function handOut(held: Held): OpenState {
  return {
    table: held.table,
    soil() {
      held.isSoiled = true;
    },
    made(version) {
      held.pending = version;
    },
  };
}

function empty(held: Held): void {
  held.table = new StateTable();
  held.version = undefined;
  held.isSoiled = false;
}

function idOf({ application, operator, layout, partition }: StateWanted): string {
  return `${application}/${operator}/${layout}/${partition}`;
}
