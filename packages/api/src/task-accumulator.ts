import { serialize } from 'node:v8';
import { MillraceError } from '@millrace/common';
import { type AccumulatorKind, builtInKind, type CountItem } from './accumulator-kind.ts';
import type { AccumulatorUpdates } from './task-context.ts';

/** What a lambda gets for an accumulator that it captured. */
export interface TaskAccumulator {
  /** Map accumulators: key and amount. */
  add(item: unknown, amount?: number): void;
}

/** Adds to the updates of the task that runs the lambda. `custom`: the user's own kind, revived. */
export function taskAccumulator(
  id: string,
  updates: () => AccumulatorUpdates | undefined,
  custom?: unknown,
): TaskAccumulator {
  const kind = custom === undefined ? builtInKind(id) : (custom as AccumulatorKind<unknown, unknown>);
  return {
    add(item, amount) {
      const task = updates();
      if (task === undefined)
        throw new MillraceError('BAD_REQUEST', 'an accumulator was added to outside of a task');
      addTo(task, id, kind, itemOf(id, item, amount));
    },
    get value() {
      return driverOnly();
    },
    reset: driverOnly,
  } as TaskAccumulator;
}

export function addTo(
  updates: Map<string, unknown>,
  id: string,
  kind: AccumulatorKind<unknown, unknown>,
  item: unknown,
): void {
  const state = updates.has(id) ? updates.get(id) : kind.zero();
  updates.set(id, kind.add(state, item) ?? state);
}

/** `counts.add(key)` counts one. */
export function itemOf(id: string, item: unknown, amount: number | undefined): unknown {
  return id.startsWith('counts:') ? ([item, amount ?? 1] satisfies CountItem) : item;
}

export function encodeAccumulatorUpdates(updates: AccumulatorUpdates): Uint8Array {
  return updates.size === 0 ? new Uint8Array() : serialize([...updates]);
}

const driverOnly = (): never => {
  throw new MillraceError('BAD_REQUEST', 'an accumulator can be read and reset on the driver only', {
    remedy: 'Read it in foreachRDD, after an action.',
  });
};
