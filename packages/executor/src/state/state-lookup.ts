import { keyText } from '@millrace/api/internal';
import {
  corruptState,
  decodeStateHeader,
  STATE_HEADER_BYTES_MAX,
  type StateSectionRef,
} from '@millrace/proto/task';
import { hashPartition } from '../shuffle/key-hash.ts';
import { decodeStateBlock, STATE_BLOCK_HEADER_BYTES, stateBlockLength } from './state-rows.ts';
import type { StateRow } from './state-table.ts';

/** Bytes of a state file, at most so many. */
export type ReadStateBytes = (file: string, offset: number, bytes: number) => Promise<Uint8Array>;

/** Sections of one partition, the newest first, back to a snapshot. */
export interface LookedUpPartition {
  readonly partition: number;
  readonly sections: readonly StateSectionRef[];
}

export interface StateLookup {
  /** How many partitions keys are hashed over; undefined: a key may be in any. */
  readonly hashedOver: number | undefined;
  readonly partitions: readonly LookedUpPartition[];
  readonly read: ReadStateBytes;
}

/**
 * The state of one key, out of its files; undefined: it has none. What was written last about the key is what counts, so older sections are read only
 * until it is found, and one block of one section is held at a time.
 * @throws MillraceError STATE_CORRUPT; USER_CODE for what cannot be a key.
 */
export async function lookUpState(
  { hashedOver, partitions, read }: StateLookup,
  key: unknown,
): Promise<(StateRow & { readonly partition: number }) | undefined> {
  const wanted = keyText(key);
  const only = hashedOver === undefined ? undefined : hashPartition(key, hashedOver);
  for (const { partition, sections } of partitions) {
    if (only !== undefined && partition !== only) continue;
    for (const section of sections) {
      const found = await lookInto(read, section, wanted);
      if (found === 'removed') break;
      if (found) return { ...found, partition };
    }
  }
  return undefined;
}

/** A key is in one block of a section at most. */
async function lookInto(
  read: ReadStateBytes,
  { file, offset, bytes }: StateSectionRef,
  wanted: string,
): Promise<StateRow | 'removed' | undefined> {
  const end = offset + bytes;
  const head = await read(file, offset, Math.min(bytes, STATE_HEADER_BYTES_MAX));
  for (let at = offset + decodeStateHeader(head, file).bodyAt; at < end; ) {
    const length = stateBlockLength(Buffer.from(await read(file, at, STATE_BLOCK_HEADER_BYTES)), file);
    const block = Buffer.from(at + length > end ? [] : await read(file, at, length));
    if (block.length !== length) throw corruptState(file, `the block at byte ${at} is cut off`);
    const { rows, keys, values, times } = decodeStateBlock(block, file);
    for (let row = 0; row < rows; row++) {
      if (keyText(keys[row]) !== wanted) continue;
      return values && times ? { key: keys[row], value: values[row], at: times[row] as number } : 'removed';
    }
    at += length;
  }
  return undefined;
}
