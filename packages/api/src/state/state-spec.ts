import { type Duration, durationMs, MillraceError } from '@millrace/common';
import type { Partitioning } from '../partitioner.ts';
import type { InitialState, MigrateState, StateFunction } from './state.ts';

interface SpecSettings<K, V, S, T> {
  readonly function: StateFunction<K, V, S, T>;
  readonly name: string;
  readonly initialState?: InitialState<K, S>;
  readonly partitions?: Partitioning<K>;
  readonly timeout?: Duration;
  readonly version?: number;
  readonly migrate?: MigrateState<K, S>;
}

/** A spec that still needs its name: mapWithState takes no other. */
export interface UnnamedStateSpec<K, V, S, T> {
  /** What its state is found by, also by the next version of the job: it must not change, and no other operator of the job may have it. */
  named(name: string): StateSpec<K, V, S, T>;
}

/** What mapWithState does: `StateSpec.function(f).named('totals').timeout('30m')`. Each method gives another spec. */
export class StateSpec<K, V, S, T> {
  /** Wrong ones are refused by mapWithState, with all other problems of the job. */
  readonly settings: SpecSettings<K, V, S, T>;

  private constructor(settings: SpecSettings<K, V, S, T>) {
    this.settings = settings;
  }

  /** `f` runs on executors, once for each row, rows of a key one after the other. Annotate its parameters: the types follow from them. */
  static function<K, V, S, T>(f: StateFunction<K, V, S, T>): UnnamedStateSpec<K, V, S, T> {
    return { named: (name) => new StateSpec<K, V, S, T>({ function: f, name }) };
  }

  /** Rows [key, state]: used when there is no state of this name yet, that is at most once. */
  initialState(rdd: InitialState<K, S>): StateSpec<K, V, S, T> {
    return this.#with({ initialState: rdd });
  }

  /** Default: as many as the stream's, at first; from then on as many as there are. Another number moves the state. */
  numPartitions(partitions: number): StateSpec<K, V, S, T> {
    return this.#with({ partitions });
  }

  partitioner(partitioner: Partitioning<K>): StateSpec<K, V, S, T> {
    return this.#with({ partitions: partitioner });
  }

  /** A key that has had no row for at least so long goes, at the first batch at which that is so: `f` is called a last time, see State.isTimingOut. */
  timeout(duration: Duration): StateSpec<K, V, S, T> {
    return this.#with({ timeout: duration });
  }

  /** Version of the state's form (default 0). State of another version goes through `migrate`, once. */
  version(version: number, migrate?: MigrateState<K, S>): StateSpec<K, V, S, T> {
    return this.#with({ version, ...(migrate && { migrate }) });
  }

  #with(settings: Partial<SpecSettings<K, V, S, T>>): StateSpec<K, V, S, T> {
    return new StateSpec({ ...this.settings, ...settings });
  }
}

const NAME_LENGTH_MAX = 200;

/** @throws MillraceError JOB_INVALID: no name, or none that can be told from others. */
export function checkStateName(operation: string, name: unknown): void {
  if (typeof name === 'string' && name.trim() !== '' && name.length <= NAME_LENGTH_MAX) return;
  throw new MillraceError('JOB_INVALID', `${operation}() has no name`, {
    remedy: `Its state is found by it, also by the next version of the job: give a text of at most ${NAME_LENGTH_MAX} characters, as ${operation === 'mapWithState' ? "StateSpec.function(f).named('totals-per-user')" : "{ name: 'totals-per-user' }"}.`,
  });
}

/** @throws MillraceError JOB_INVALID. */
export function checkStateVersion(operation: string, version: unknown): void {
  if (version === undefined || (Number.isSafeInteger(version) && (version as number) >= 0)) return;
  throw new MillraceError(
    'JOB_INVALID',
    `${operation}(): the version of its state is not an integer from 0 on`,
    { remedy: 'Raise it by one when the form of the state changes.' },
  );
}

/** ms. @throws MillraceError JOB_INVALID, CONFIG_INVALID. */
export function timeoutMs(timeout: Duration): number {
  const ms = durationMs(timeout);
  if (ms > 0) return ms;
  throw new MillraceError('JOB_INVALID', 'mapWithState(): the timeout is 0', {
    remedy: 'Give a duration above 0, or none: then keys stay until they are removed.',
  });
}
