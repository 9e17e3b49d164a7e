import { MillraceError, placed } from '@millrace/common';
import type { StateChange } from './state-table.ts';

/** What a function of mapWithState is given: the state of the key at hand (State of the API). One serves all calls, one after the other. */
export class KeyState {
  readonly #place: string;
  #change: StateChange | undefined;
  #isRemoved = false;
  #isTimingOut = false;
  #wasHandedOut = false;

  constructor(place: string) {
    this.#place = place;
  }

  /** The next call is about this key. */
  begin(change: StateChange, isTimingOut: boolean): void {
    this.#change = change;
    this.#isRemoved = false;
    this.#isTimingOut = isTimingOut;
    this.#wasHandedOut = false;
  }

  /** The call is over: kept longer, it is of no use. Whether an object of it was handed out, which the function may have changed. */
  end(): boolean {
    this.#change = undefined;
    return this.#wasHandedOut;
  }

  exists(): boolean {
    return this.#of('exists').value !== undefined;
  }

  get(): unknown {
    const value = this.getOption();
    if (value === undefined)
      throw this.#misused('get() of a key that has no state', 'Ask exists() first, or use getOption().');
    return value;
  }

  getOption(): unknown {
    const { value } = this.#of('get');
    if (typeof value === 'object' && value !== null) this.#wasHandedOut = true;
    return value;
  }

  update(value: unknown): void {
    const change = this.#of('update');
    if (this.#isRemoved) throw this.#misused('update() after remove()', 'Decide for one of them.');
    if (this.#isTimingOut)
      throw this.#misused('update() of a key that is timing out', 'Ask isTimingOut() first.');
    if (value === undefined) throw this.#misused('update(undefined)', 'Use remove(), or null.');
    change.value = value;
    change.isChanged = true;
  }

  remove(): void {
    const change = this.#of('remove');
    if (this.#isTimingOut)
      throw this.#misused(
        'remove() of a key that is timing out',
        'It goes by itself: ask isTimingOut() first.',
      );
    if (this.#isRemoved) throw this.#misused('remove() after remove()', 'Call it once.');
    this.#isRemoved = true;
    change.value = undefined;
    change.isChanged = true;
  }

  isTimingOut(): boolean {
    this.#of('isTimingOut');
    return this.#isTimingOut;
  }

  #of(operation: string): StateChange {
    if (this.#change) return this.#change;
    throw this.#misused(
      `${operation}() when the call that it was given to is over`,
      'Use the state only within the function; it is given anew for each key.',
    );
  }

  #misused(what: string, remedy: string): MillraceError {
    return placed(new MillraceError('STATE_MISUSED', `mapWithState: ${what}`, { remedy }), this.#place);
  }
}
