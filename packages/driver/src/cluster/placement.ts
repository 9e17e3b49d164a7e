import type { TaskDescription } from '../task-backend.ts';
import { assignHomes } from './rendezvous.ts';

// A key that no task set named for so long (a deleted topic) no longer weighs in the balance.
const KEY_IDLE_MS = 600_000;
const KEYS_MAX = 100_000;
const AFFINITIES_MAX = 100_000;

/** Executors that can be homes. `version` changes whenever the members do. */
export interface Membership {
  readonly version: number;
  readonly ids: readonly string[];
  idsOnHost(host: string): readonly string[];
}

interface Group {
  version: number;
  homes: Map<string, string>;
  readonly usedAt: Map<string, number>;
}

/** A slot of an executor. */
export interface SlotName {
  readonly executorId: string;
  readonly slot: number;
}

/** Where each task of an application is at home: kept from set to set, so that consumers stay where they are. */
export class Placement {
  /** By application, then by host ('' for all executors). */
  readonly #groups = new Map<string, Map<string, Group>>();
  /** Which slot last ran the tasks of an affinity. Least recently used first. */
  readonly #slots = new Map<string, SlotName>();

  /**
   * Home executor of each task, in their order; undefined: anywhere. `onMissingHost` hears of hosts without an executor.
   * Costs a look-up a task, unless members or keys changed.
   */
  homesOf(
    application: string,
    tasks: readonly TaskDescription[],
    members: Membership,
    now: number,
    onMissingHost: (host: string) => void,
  ): readonly (string | undefined)[] {
    const keysByHost = new Map<string, string[]>();
    const hosts = tasks.map(({ preference }) => {
      if (preference.kind === 'any' || preference.kind === 'executor') return undefined;
      const wanted = preference.kind === 'host' ? preference.host : '';
      const found = wanted !== '' && members.idsOnHost(wanted).length > 0;
      if (wanted !== '' && !found && members.ids.length > 0) onMissingHost(wanted);
      const host = found ? wanted : '';
      const keys = keysByHost.get(host);
      if (keys) keys.push(preference.key);
      else keysByHost.set(host, [preference.key]);
      return host;
    });
    const homesByHost = new Map<string, ReadonlyMap<string, string>>();
    for (const [host, keys] of keysByHost) {
      const ids = host === '' ? members.ids : members.idsOnHost(host);
      homesByHost.set(host, this.#update(application, host, keys, ids, members.version, now));
    }
    return tasks.map(({ preference }, index) => {
      const host = hosts[index];
      if (preference.kind === 'executor')
        return members.ids.includes(preference.executorId) ? preference.executorId : undefined;
      return preference.kind === 'any' || host === undefined
        ? undefined
        : homesByHost.get(host)?.get(preference.key);
    });
  }

  #update(
    application: string,
    host: string,
    keys: readonly string[],
    ids: readonly string[],
    version: number,
    now: number,
  ): ReadonlyMap<string, string> {
    const groups = this.#groups.get(application) ?? new Map<string, Group>();
    this.#groups.set(application, groups);
    const group = groups.get(host) ?? { version: -1, homes: new Map(), usedAt: new Map() };
    groups.set(host, group);
    let stale = group.version !== version;
    for (const key of keys) {
      stale ||= !group.homes.has(key);
      group.usedAt.set(key, now);
    }
    if (!stale) return group.homes;
    for (const [key, usedAt] of group.usedAt) if (now - usedAt > KEY_IDLE_MS) group.usedAt.delete(key);
    if (group.usedAt.size > KEYS_MAX) {
      group.usedAt.clear();
      for (const key of keys) group.usedAt.set(key, now);
    }
    group.homes = assignHomes([...group.usedAt.keys()], ids, group.homes);
    group.version = version;
    return group.homes;
  }

  remember(affinity: string, executorId: string, slot: number): void {
    const known = this.#slots.get(affinity);
    if (known !== undefined) {
      this.#slots.delete(affinity);
    } else if (this.#slots.size >= AFFINITIES_MAX) {
      const [oldest] = this.#slots.keys();
      if (oldest !== undefined) this.#slots.delete(oldest);
    }
    const same = known?.executorId === executorId && known.slot === slot;
    this.#slots.set(affinity, same ? known : { executorId, slot });
  }

  slotOf(affinity: string): SlotName | undefined {
    return this.#slots.get(affinity);
  }

  forget(application: string): void {
    this.#groups.delete(application);
  }
}
