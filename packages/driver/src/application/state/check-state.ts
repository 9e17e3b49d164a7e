import { messageOf } from '@millrace/common';
import {
  corruptState,
  decodeStateHeader,
  STATE_HEADER_BYTES_MAX,
  type StateSectionRef,
} from '@millrace/proto/task';
import { crc32c } from '@node-rs/crc32';
import type { CheckedState, Findings } from '../log/log-check.ts';
import type { LoggedStates } from './logged-state.ts';
import { StateChain } from './state-chains.ts';
import { epochOfStateFile, type StateFiles } from './state-files.ts';

// Of a block of columns, in little-endian words: magic · CRC-32C of what follows · bytes of the block (executor/src/shuffle/column-block.ts).
const BLOCK_MAGIC = 0x4d52_4231;
const BLOCK_HEADER_BYTES = 24;
const CHECKSUMMED_FROM = 8;

/** Bytes of a state file, at most so many. @throws MillraceError STATE_CORRUPT. */
export type ReadState = (file: string, offset: number, bytes: number) => Promise<Uint8Array>;

/** Every section that keyed state is made of: it is there, is what the log names, and each byte of it is what was written. Values are not looked into. */
export async function checkState(
  { files, read }: { readonly files: StateFiles; readonly read: ReadState },
  states: LoggedStates,
  findings: Findings,
): Promise<CheckedState> {
  const named = new Set<string>();
  let sections = 0;
  let bytes = 0;
  let keys = 0;
  for (const [operator, { heads }] of states) {
    for (const [partition, head] of heads.entries()) {
      if (head === undefined) continue;
      named.add(head.file);
      keys += head.keys;
      try {
        for (const ref of StateChain.read(files, operator, head).sections) {
          named.add(ref.file);
          sections += 1;
          bytes += ref.bytes;
          await checkSection(read, ref, ref.version === head.version ? { partition, keys: head.keys } : {});
        }
      } catch (error) {
        findings.add(`state/${head.file}`, `"${operator}", partition ${partition}: ${messageOf(error)}`);
      }
    }
  }
  const unnamed = files
    .list()
    .filter((name) => epochOfStateFile(name) !== undefined && !named.has(name)).length;
  return { operators: states.size, files: named.size, sections, bytes, keys, unnamed };
}

/** One block is held at a time. */
async function checkSection(
  read: ReadState,
  { file, offset, bytes }: StateSectionRef,
  wanted: { readonly partition?: number; readonly keys?: number },
): Promise<void> {
  const head = await read(file, offset, Math.min(bytes, STATE_HEADER_BYTES_MAX));
  const { meta, bodyAt } = decodeStateHeader(head, file);
  if (bodyAt + meta.bodyBytes !== bytes) throw corruptState(file, 'a section has another length');
  const { partition = meta.partition, keys = meta.keys } = wanted;
  if (meta.partition !== partition || meta.keys !== keys)
    throw corruptState(
      file,
      `it has ${meta.keys} keys of partition ${meta.partition}, not ${keys} of ${partition}`,
    );
  const end = offset + bytes;
  for (let at = offset + bodyAt; at < end; ) {
    const header = Buffer.from(await read(file, at, Math.min(BLOCK_HEADER_BYTES, end - at)));
    const length = header.length < BLOCK_HEADER_BYTES ? 0 : header.readUInt32LE(8);
    if (length < BLOCK_HEADER_BYTES || header.readUInt32LE(0) !== BLOCK_MAGIC || at + length > end)
      throw corruptState(file, `no block of rows begins at byte ${at}`);
    const checked = Buffer.from(await read(file, at + CHECKSUMMED_FROM, length - CHECKSUMMED_FROM));
    if (checked.length !== length - CHECKSUMMED_FROM || crc32c(checked) !== header.readUInt32LE(4))
      throw corruptState(file, `the block at byte ${at} does not match its checksum`);
    at += length;
  }
}
