import { MillraceError, type TransitionTable, transition } from '@millrace/common';

export type ExecutorState = 'REGISTERED' | 'DRAINING' | 'LOST';

export const EXECUTOR_TRANSITIONS: TransitionTable<ExecutorState> = {
  REGISTERED: ['DRAINING', 'LOST'],
  // Finishes what runs, takes nothing new.
  DRAINING: ['LOST'],
  LOST: [],
};

/** What an executor says of itself. */
export interface ExecutorInfo {
  /** New at every start of its process. */
  readonly id: string;
  readonly host: string;
  readonly rack: string;
  readonly slots: number;
  readonly pid: number;
  /** host:port of its Blocks service. */
  readonly blockAddress: string;
}

export interface ExecutorEntry {
  readonly info: ExecutorInfo;
  readonly state: ExecutorState;
  readonly ready: readonly number[];
  readonly rssBytes: number;
  /** Wall clock, ms. */
  readonly registeredAt: number;
}

interface Registration {
  info: ExecutorInfo;
  state: ExecutorState;
  ready: readonly number[];
  rssBytes: number;
  registeredAt: number;
  /** Monotonic, ms. */
  heardAt: number;
}

export type RegisterDecision =
  | { readonly kind: 'registered' }
  /** The same process came again (its old connection is half open): what it ran is lost, then it is new. */
  | { readonly kind: 'replaced' }
  | { readonly kind: 'refused'; readonly error: MillraceError };

export interface ExecutorRegistryOptions {
  /** An executor that says nothing for so long is lost. */
  readonly timeoutMs: number;
  readonly executorsMax: number;
}

/** Executors by id: who is there, who is lost. Decides, and holds no timers; times are monotonic unless said. */
export class ExecutorRegistry {
  readonly #options: ExecutorRegistryOptions;
  readonly #executors = new Map<string, Registration>();
  #checkedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ExecutorRegistryOptions) {
    this.#options = options;
  }

  register(info: ExecutorInfo, now: number, wallMs: number): RegisterDecision {
    const problem = problemOf(info);
    if (problem !== undefined) return refused('BAD_REQUEST', `an executor cannot register: ${problem}`, '');
    const known = this.#executors.get(info.id);
    if (known && (known.info.pid !== info.pid || known.info.host !== info.host)) {
      return refused(
        'BAD_REQUEST',
        `executor id ${info.id} is taken by process ${known.info.pid} on ${known.info.host}`,
        'Give each executor its own id, or none: one is made at each start.',
      );
    }
    if (!known && this.#executors.size >= this.#options.executorsMax) {
      return refused(
        'BAD_REQUEST',
        `${this.#executors.size} executors are registered; no more are taken`,
        'Raise executorsMax of the driver.',
      );
    }
    this.#executors.set(info.id, {
      info,
      state: 'REGISTERED',
      ready: [],
      rssBytes: 0,
      registeredAt: wallMs,
      heardAt: now,
    });
    return { kind: known ? 'replaced' : 'registered' };
  }

  /** False: it is not known (any more) and must register again. */
  heartbeat(id: string, rssBytes: number, now: number): boolean {
    const executor = this.#executors.get(id);
    if (!executor) return false;
    executor.heardAt = now;
    executor.rssBytes = rssBytes;
    return true;
  }

  /** Slots that were registered, of those named; undefined: not known. */
  slotsReady(id: string, ready: readonly number[], now: number): readonly number[] | undefined {
    const executor = this.#executors.get(id);
    if (!executor) return undefined;
    executor.heardAt = now;
    executor.ready = ready.filter((slot) => slot < executor.info.slots);
    return executor.ready;
  }

  /** True when it begins to drain now. */
  drain(id: string): boolean {
    const executor = this.#executors.get(id);
    if (executor?.state !== 'REGISTERED') return false;
    executor.state = transition(EXECUTOR_TRANSITIONS, `executor ${id}`, executor.state, 'DRAINING');
    return true;
  }

  /** Its stream ended. True when it was known. */
  lose(id: string): boolean {
    const executor = this.#executors.get(id);
    if (!executor) return false;
    executor.state = transition(EXECUTOR_TRANSITIONS, `executor ${id}`, executor.state, 'LOST');
    this.#executors.delete(id);
    return true;
  }

  /**
   * Those that were silent too long; they are lost now. Call it at least every `timeoutMs / 4`: when it comes much later, this
   * process itself stood still, heartbeats wait unread, and everybody gets the time back.
   */
  expire(now: number): readonly ExecutorInfo[] {
    const { timeoutMs } = this.#options;
    const late = now - this.#checkedAt - timeoutMs / 4;
    const stoodStill = this.#checkedAt !== Number.NEGATIVE_INFINITY && late > timeoutMs / 4;
    this.#checkedAt = now;
    const expired: ExecutorInfo[] = [];
    for (const executor of this.#executors.values()) {
      if (stoodStill) executor.heardAt = Math.min(now, executor.heardAt + late);
      if (now - executor.heardAt >= timeoutMs) expired.push(executor.info);
    }
    for (const { id } of expired) this.lose(id);
    return expired;
  }

  get(id: string): ExecutorEntry | undefined {
    return this.#executors.get(id);
  }

  list(): readonly ExecutorEntry[] {
    return [...this.#executors.values()];
  }
}

function problemOf(info: ExecutorInfo): string | undefined {
  if (info.id === '' || info.id.length > 200) return 'its id is empty or too long';
  if (info.host === '') return 'it names no host';
  if (info.slots < 1 || info.slots > 1024) return `${info.slots} is no number of slots (1 to 1024)`;
  return undefined;
}

function refused(code: 'BAD_REQUEST', what: string, remedy: string): RegisterDecision {
  return { kind: 'refused', error: new MillraceError(code, what, { remedy }) };
}
