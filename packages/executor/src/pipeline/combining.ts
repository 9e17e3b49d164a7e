import { combiningOf, type OperatorCall } from '@millrace/api/internal';
import { type CombinerOptions, combineRows } from '../shuffle/combiner.ts';
import type { Row } from '../shuffle/row-block.ts';
import { spillDirectoryOf, type TaskStorage } from './task-storage.ts';

const COMBINING = ['combine', 'mergeCombiners', 'group'] as const;
type CombiningKind = (typeof COMBINING)[number];

/** A Map of V8 holds 2^24 entries. */
const KEYS_MAX = 2 ** 24 - 1;

type CombiningCall = Pick<OperatorCall, 'numbers' | 'value' | 'place'> & {
  readonly kind: CombiningKind;
  readonly functions: readonly Function[];
};

export function isCombining(kind: string): kind is CombiningKind {
  return (COMBINING as readonly string[]).includes(kind);
}

/** As the operator does it in memory; what does not fit goes to disk. */
export function combined(
  rows: AsyncIterable<unknown[]>,
  call: CombiningCall,
  storage: TaskStorage,
): AsyncIterable<unknown[]> {
  const combining = combiningOf(call);
  return combineRows(rows as AsyncIterable<Row[]>, {
    create: combining.create,
    merge: combining.merge,
    ...combinerBounds(storage),
    place: call.place,
  }) as AsyncIterable<unknown[]>;
}

/** What a combiner may take of a task's memory and disk. */
export function combinerBounds(
  storage: TaskStorage,
): Pick<CombinerOptions, 'directory' | 'memoryBytesMax' | 'keysMax' | 'spillBytesMax'> {
  return {
    directory: spillDirectoryOf(storage),
    memoryBytesMax: storage.memoryBytesMax,
    keysMax: KEYS_MAX,
    spillBytesMax: storage.fileBytesMax,
  };
}
