import { combiningOf, type InlineMerge, type OperatorCall } from '@millrace/api/internal';
import { Combiner, type CombinerOptions } from '../shuffle/combiner.ts';
import { spillDirectoryOf, type TaskStorage } from './task-storage.ts';

const COMBINING = ['combine', 'mergeCombiners', 'group'] as const;
export type CombiningKind = (typeof COMBINING)[number];

/** A Map of V8 holds 2^24 entries. */
const KEYS_MAX = 2 ** 24 - 1;

type CombiningCall = Pick<OperatorCall, 'numbers' | 'value' | 'place'> & {
  readonly kind: CombiningKind;
  readonly functions: readonly Function[];
};

export function isCombining(kind: string): kind is CombiningKind {
  return (COMBINING as readonly string[]).includes(kind);
}

/** What combines rows as the operator does it in memory, and writes to disk what does not fit; and what a loop does by itself. */
export function combiner(
  call: CombiningCall,
  storage: TaskStorage,
): { readonly rows: Combiner; readonly inline: InlineMerge } {
  const { create, merge, inline } = combiningOf(call);
  const { place } = call;
  return { rows: new Combiner({ create, merge, ...combinerBounds(storage), place }), inline };
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
