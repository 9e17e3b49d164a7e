import { type FileHandle, open } from 'node:fs/promises';
import { MillraceError, messageOf } from '@millrace/common';
import {
  corruptState,
  decodeStateHeader,
  STATE_HEADER_BYTES_MAX,
  type StateSectionHeader,
  type StateSectionRef,
} from '@millrace/proto/task';
import { applyBlock, STATE_BLOCK_HEADER_BYTES, stateBlockLength } from './state-rows.ts';
import { StateTable } from './state-table.ts';

/** A section of state on this machine. */
export interface LocalStateSection {
  readonly path: string;
  readonly offset: number;
  /** Its file may go. */
  release(): void;
}

/** Brings a section to this machine. @throws MillraceError STATE_CORRUPT when it is not there; SHUFFLE_DISK; DRIVER_UNREACHABLE. */
export type FetchState = (
  application: string,
  ref: StateSectionRef,
  ahead?: SectionsAhead,
) => Promise<LocalStateSection>;

/** The sections below are going to be asked for, too: down to a snapshot, or to what stands on this version. */
export interface SectionsAhead {
  readonly until: string | undefined;
}

export interface StateLoad {
  readonly application: string;
  readonly operator: string;
  readonly fetch: FetchState;
  readonly signal: AbortSignal;
  /** Which keys are wanted; absent: all. */
  readonly keeps?: (key: unknown) => boolean;
}

interface Section extends StateSectionHeader {
  readonly ref: StateSectionRef;
  readonly local: LocalStateSection;
  readonly file: FileHandle;
}

/** A chain of sections never comes near it: snapshots cut it. */
const CHAIN_MAX = 10_000;

/**
 * Brings `table` from the state `has` (undefined: it is empty) to that which `ref` names: the sections back to a snapshot, or to `has`, are
 * read, and applied from the oldest on. A table that has nothing in common with it is emptied first: the one that is returned counts.
 * @throws MillraceError STATE_CORRUPT, with the file, when anything is not as it was written.
 */
export async function loadState(
  load: StateLoad,
  ref: StateSectionRef,
  table: StateTable,
  has: string | undefined,
): Promise<StateTable> {
  const sections: Section[] = [];
  try {
    let into = table;
    let next: StateSectionRef | undefined = ref;
    while (next !== undefined && next.version !== has) {
      load.signal.throwIfAborted();
      const section = await openSection(load, next, { until: has });
      sections.push(section);
      if (sections.length > CHAIN_MAX) throw corruptState(ref.file, 'its sections name each other');
      next = section.meta.kind === 'snapshot' ? undefined : previousOf(section);
      if (section.meta.kind === 'snapshot') into = new StateTable();
    }
    for (const section of sections.toReversed()) {
      load.signal.throwIfAborted();
      await applySection(load, section, into);
    }
    const [newest] = sections;
    if (load.keeps === undefined && newest && newest.meta.keys !== into.size)
      throw corruptState(ref.file, `it makes ${into.size} keys of ${newest.meta.keys}`);
    return into;
  } finally {
    for (const { file, local } of sections) {
      await file.close().catch(() => undefined);
      local.release();
    }
  }
}

function previousOf({ meta, ref }: Section): StateSectionRef {
  if (meta.previous) return meta.previous;
  throw corruptState(ref.file, 'a delta does not say what it stands on');
}

async function openSection(
  { application, operator, fetch }: StateLoad,
  ref: StateSectionRef,
  ahead: SectionsAhead,
): Promise<Section> {
  const local = await fetch(application, ref, ahead);
  let file: FileHandle | undefined;
  try {
    file = await open(local.path, 'r');
    const head = await readAt(
      file,
      local.offset,
      Math.min(ref.bytes, STATE_HEADER_BYTES_MAX + 16),
      ref.file,
      true,
    );
    const header = decodeStateHeader(head, ref.file);
    const { meta, bodyAt } = header;
    if (meta.operator !== operator || meta.version !== ref.version)
      throw corruptState(
        ref.file,
        `it holds version ${meta.version} of "${meta.operator}", not ${ref.version} of "${operator}"`,
      );
    if (bodyAt + meta.bodyBytes !== ref.bytes) throw corruptState(ref.file, 'a section has another length');
    return { ...header, ref, local, file };
  } catch (error) {
    await file?.close().catch(() => undefined);
    local.release();
    throw MillraceError.is(error) ? error : corruptState(ref.file, messageOf(error), error);
  }
}

/** One block is held at a time. */
async function applySection(
  { keeps }: StateLoad,
  { ref, meta, bodyAt, local, file }: Section,
  table: StateTable,
): Promise<void> {
  const end = local.offset + bodyAt + meta.bodyBytes;
  for (let at = local.offset + bodyAt; at < end; ) {
    const header = await readAt(file, at, Math.min(STATE_BLOCK_HEADER_BYTES, end - at), ref.file);
    const bytes = stateBlockLength(header, ref.file);
    if (at + bytes > end) throw corruptState(ref.file, 'a block goes beyond its section');
    applyBlock(table, await readAt(file, at, bytes, ref.file), ref.file, keeps);
    at += bytes;
  }
}

/** `orLess`: a file that ends before is fine. */
async function readAt(
  file: FileHandle,
  position: number,
  bytes: number,
  name: string,
  orLess = false,
): Promise<Buffer> {
  // Of its own memory: columns are read where they are.
  const buffer = Buffer.allocUnsafeSlow(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file
      .read(buffer, filled, bytes - filled, position + filled)
      .catch((error: unknown) => Promise.reject(corruptState(name, messageOf(error), error)));
    if (bytesRead === 0 && orLess) return buffer.subarray(0, filled);
    if (bytesRead === 0) throw corruptState(name, 'it is cut off');
    filled += bytesRead;
  }
  return buffer;
}
