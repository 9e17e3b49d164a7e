import { MillraceError, placed } from '@millrace/common';
import { corruptState } from '@millrace/proto/task';
import { owned } from '../pipeline/detach.ts';
import { BLOCK_HEADER_BYTES, blockLength, decodeColumns, encodeColumns } from '../shuffle/column-block.ts';
import { notMovable } from '../shuffle/shuffle-failure.ts';
import { sizeOf } from '../shuffle/value-size.ts';
import type { StateChange, StateRow, StateTable } from './state-table.ts';

// A block of rows has the columns key, value and time of the last touch; one of removed keys has the keys alone.

/** Rows of a block end when they are estimated to take so much. */
const BLOCK_BYTES = 256 * 1024;

/** What a section is made of. */
export interface StateBody {
  readonly blocks: readonly Uint8Array[];
  readonly changed: number;
  readonly removed: number;
}

/**
 * What the running batch changes, as blocks. The values that the table keeps are from now on the ones that were written: copies that
 * nobody else has, the same that a reader of the file gets.
 * @throws MillraceError USER_CODE for values that are not plain data; RESULT_TOO_LARGE.
 */
export function encodeChanges(table: StateTable, place: string): StateBody {
  const writer = new RowWriter(place);
  for (const change of table.changes()) {
    if (!change.isChanged) continue;
    if (change.value !== undefined) writer.add(settled(change, place));
    else if (table.has(change.key)) writer.remove(change.key);
  }
  return writer.finish();
}

/** All of the state as it will be, as blocks. @throws as encodeChanges. */
export function encodeSnapshot(table: StateTable, place: string): StateBody {
  for (const change of table.changes())
    if (change.isChanged && change.value !== undefined) settled(change, place);
  const writer = new RowWriter(place);
  for (const row of table.rows()) writer.add(row);
  return writer.finish();
}

/** The value as it may be kept: what a function does later to what it was given, or gave, changes nothing. */
function settled(change: StateChange, place: string): StateChange {
  change.value = ownState(change.value, place);
  return change;
}

/** A copy that nobody else has. @throws MillraceError USER_CODE for what is not plain data. */
export function ownState(value: unknown, place: string): unknown {
  if (typeof value === 'number') return value;
  try {
    return owned(value);
  } catch (error) {
    throw notMovable('the state of a key', value, error, place);
  }
}

class RowWriter {
  readonly #place: string;
  readonly #blocks: Uint8Array[] = [];
  #keys: unknown[] = [];
  #values: unknown[] = [];
  #times: number[] = [];
  #removed: unknown[] = [];
  #bytes = 0;
  #changedRows = 0;
  #removedKeys = 0;

  constructor(place: string) {
    this.#place = place;
  }

  add({ key, value, at }: StateRow): void {
    this.#keys.push(key);
    this.#values.push(value);
    this.#times.push(at);
    this.#changedRows++;
    this.#bytes += sizeOf(key) + sizeOf(value) + 8;
    if (this.#bytes >= BLOCK_BYTES) this.#flush();
  }

  remove(key: unknown): void {
    this.#removed.push(key);
    this.#removedKeys++;
    this.#bytes += sizeOf(key);
    if (this.#bytes >= BLOCK_BYTES) this.#flush();
  }

  finish(): StateBody {
    this.#flush();
    return { blocks: this.#blocks, changed: this.#changedRows, removed: this.#removedKeys };
  }

  #flush(): void {
    if (this.#keys.length > 0) this.#encode([this.#keys, this.#values, this.#times]);
    if (this.#removed.length > 0) this.#encode([this.#removed]);
    this.#keys = [];
    this.#values = [];
    this.#times = [];
    this.#removed = [];
    this.#bytes = 0;
  }

  #encode(columns: ReadonlyArray<readonly unknown[]>): void {
    try {
      this.#blocks.push(encodeColumns(columns));
    } catch (error) {
      if (MillraceError.is(error)) throw placed(error, this.#place);
      throw notMovable('the state of a key', undefined, error, this.#place);
    }
  }
}

/** The rows of one block; without values and times: removed keys. */
export interface StateBlock {
  readonly rows: number;
  readonly keys: ArrayLike<unknown>;
  readonly values: ArrayLike<unknown> | undefined;
  readonly times: ArrayLike<unknown> | undefined;
}

/** @throws MillraceError STATE_CORRUPT. */
export function decodeStateBlock(block: Buffer, where: string): StateBlock {
  const { rows, columns } = stateErrors(where, () => decodeColumns(block, { file: where }));
  const [keys, values, times] = columns;
  if (keys === undefined) throw corruptState(where, 'a block of it has no keys');
  return { rows, keys, values, times };
}

/** Adds the rows of one block to a table. `keeps`: of which keys. @throws MillraceError STATE_CORRUPT. */
export function applyBlock(
  table: StateTable,
  block: Buffer,
  where: string,
  keeps: ((key: unknown) => boolean) | undefined,
): void {
  const { rows, keys, values, times } = decodeStateBlock(block, where);
  for (let row = 0; row < rows; row++) {
    const key = keys[row];
    if (keeps?.(key) === false) continue;
    if (values === undefined || times === undefined) table.remove(key);
    else table.put(key, values[row], times[row] as number);
  }
}

/** Bytes of the block that begins here. @throws MillraceError STATE_CORRUPT. */
export function stateBlockLength(header: Buffer, where: string): number {
  return stateErrors(where, () => blockLength(header, { file: where }));
}

export { BLOCK_HEADER_BYTES as STATE_BLOCK_HEADER_BYTES };

function stateErrors<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (MillraceError.is(error, 'BLOCK_CORRUPT')) throw corruptState(where, error.what, error);
    throw error;
  }
}
