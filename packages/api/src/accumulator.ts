import { deserialize, serialize } from 'node:v8';
import { HANDLE } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import { type AccumulatorUpdates, currentTask } from './task-context.ts';

/** A number that tasks add to and the driver reads. Exactly once per successful task; failed attempts leave no trace. */
export interface Accumulator {
  readonly name: string;
  add(amount: number): void;
  /** Driver only. */
  readonly value: number;
  /** Driver only. */
  reset(): void;
}

/** A list that tasks add to and the driver reads. Keep it small: every added value travels to the driver. */
export interface CollectionAccumulator<T> {
  readonly name: string;
  add(value: T): void;
  readonly value: readonly T[];
  reset(): void;
}

const driverOnly = (): never => {
  throw new MillraceError('BAD_REQUEST', 'an accumulator can be read on the driver only', {
    remedy: 'Read it in foreachRDD, after an action.',
  });
};

/** "1" would be appended, not added. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TypeError(`an accumulator adds numbers, got ${typeof value}`);
}

/** In an embedded application a lambda has the driver's own object: what it adds counts when its task succeeds, as everywhere. */
function addedInTask(id: string, value: unknown): boolean {
  const task = currentTask();
  if (task === undefined) return false;
  taskAccumulator(id, () => task.accumulators).add(value);
  return true;
}

/** The accumulators of one application, on the driver. */
export class AccumulatorRegistry {
  readonly #numbers = new Map<string, number>();
  readonly #lists = new Map<string, unknown[]>();

  number(name: string | undefined, start: number): Accumulator {
    const id = `sum:${this.#numbers.size + 1}`;
    const numbers = this.#numbers;
    numbers.set(id, numberOf(start));
    return {
      name: name ?? id,
      add: (amount) => {
        if (!addedInTask(id, amount)) numbers.set(id, (numbers.get(id) ?? 0) + numberOf(amount));
      },
      get value() {
        return numbers.get(id) ?? 0;
      },
      reset: () => void numbers.set(id, start),
      [HANDLE]: { kind: 'accumulator', id },
    } as Accumulator;
  }

  list<T>(name: string | undefined): CollectionAccumulator<T> {
    const id = `list:${this.#lists.size + 1}`;
    const lists = this.#lists;
    lists.set(id, []);
    return {
      name: name ?? id,
      add: (value) => {
        if (!addedInTask(id, value)) lists.get(id)?.push(value);
      },
      get value() {
        return [...(lists.get(id) ?? [])] as T[];
      },
      reset: () => void lists.set(id, []),
      [HANDLE]: { kind: 'accumulator', id },
    } as CollectionAccumulator<T>;
  }

  /** Applies what a task that succeeded added. */
  apply(encoded: Uint8Array): void {
    if (encoded.length === 0) return;
    for (const [id, update] of deserialize(encoded) as [string, number | unknown[]][]) {
      if (typeof update === 'number') this.#numbers.set(id, (this.#numbers.get(id) ?? 0) + update);
      // One by one: the arguments of a call are bounded by the stack.
      else for (const value of update) this.#lists.get(id)?.push(value);
    }
  }
}

/** What a lambda gets for an accumulator that it captured: adds to the updates of the task that runs it. */
export function taskAccumulator(
  id: string,
  updates: () => AccumulatorUpdates | undefined,
): { add(value: unknown): void } {
  return {
    add(value) {
      const task = updates();
      if (task === undefined) {
        throw new MillraceError('BAD_REQUEST', 'an accumulator was added to outside of a task');
      }
      if (id.startsWith('sum:')) {
        task.set(id, ((task.get(id) as number | undefined) ?? 0) + numberOf(value));
        return;
      }
      const list = task.get(id) as unknown[] | undefined;
      if (list) list.push(value);
      else task.set(id, [value]);
    },
    get value() {
      return driverOnly();
    },
  } as { add(value: unknown): void };
}

export function encodeAccumulatorUpdates(updates: AccumulatorUpdates): Uint8Array {
  return updates.size === 0 ? new Uint8Array() : serialize([...updates]);
}
