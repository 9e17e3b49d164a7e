import { type OperatorCall, rowOrder } from '@millrace/api/internal';
import { MillraceError, placed } from '@millrace/common';
import type { Row } from '../shuffle/row-block.ts';
import { sortedRows } from '../shuffle/row-sorter.ts';
import { spillDirectoryOf, type TaskStorage } from './task-storage.ts';

type SortCall = Pick<OperatorCall, 'numbers' | 'place'> & { readonly functions: readonly Function[] };

/** As the operator sortRows does it in memory; what does not fit goes to disk. */
export function sorted(
  rows: AsyncIterable<unknown[]>,
  { functions, numbers, place }: SortCall,
  storage: TaskStorage,
): AsyncIterable<unknown[]> {
  const compare = functions[0] as ((a: unknown, b: unknown) => number) | undefined;
  const order = rowOrder(numbers[0] ?? 1, compare);
  return sortedRows(rows as AsyncIterable<Row[]>, {
    order: (a, b) => {
      try {
        return order(a, b);
      } catch (error) {
        throw MillraceError.is(error) ? placed(error, place) : error;
      }
    },
    directory: spillDirectoryOf(storage),
    memoryBytesMax: storage.memoryBytesMax,
    spillBytesMax: storage.fileBytesMax,
    place,
  }) as AsyncIterable<unknown[]>;
}
