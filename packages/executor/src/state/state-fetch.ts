import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@millrace/common';
import { type Chunk, type ClientChannel, deadlineIn, grpcStatusToError } from '@millrace/proto';
import {
  corruptState,
  decodeStateHeader,
  STATE_HEADER_BYTES_MAX,
  type StateSectionRef,
} from '@millrace/proto/task';
import { writeFailure } from '../shuffle/shuffle-failure.ts';
import type { FetchState, LocalStateSection, SectionsAhead } from './state-load.ts';

export interface StateFetchOptions {
  readonly channel: ClientChannel;
  /** Sections are held here while they are read. */
  readonly directory: string;
  readonly clock: Clock;
}

const FETCH_DEADLINE_MS = 300_000;

/** A file of sections, for as long as one of them is used. */
interface HeldFile {
  readonly path: string;
  users: number;
}

/**
 * Brings sections of state from the driver to this machine, in files: they may be larger than a process's memory. Sections that came along with
 * another one are there until that one is given back.
 * What it makes throws MillraceError STATE_CORRUPT, SHUFFLE_DISK, DRIVER_UNREACHABLE, DEADLINE_EXCEEDED.
 */
export function stateFetcher({ channel, directory, clock }: StateFetchOptions): FetchState {
  let files = 0;
  const along = new Map<string, { readonly held: HeldFile; readonly offset: number }>();
  const use = (held: HeldFile, offset: number, onRelease?: () => void): LocalStateSection => {
    held.users++;
    let isUsed = true;
    return {
      path: held.path,
      offset,
      release() {
        if (!isUsed) return;
        isUsed = false;
        onRelease?.();
        if (--held.users === 0) void rm(held.path, { force: true }).catch(() => undefined);
      },
    };
  };
  return async (application, ref, ahead) => {
    const known = along.get(nameOf(application, ref));
    if (known) return use(known.held, known.offset);
    const held: HeldFile = { path: join(directory, `section-${files++}`), users: 0 };
    await onDisk(held.path, () => mkdir(directory, { recursive: true, mode: 0o700 }));
    const names: string[] = [];
    const local = use(held, 0, () => {
      for (const name of names) if (along.get(name)?.held === held) along.delete(name);
    });
    try {
      await download({ channel, clock }, application, ref, ahead, held.path);
      if (!ahead) return local;
      for (const { section, at } of await sectionsBelow(held.path, ref)) {
        const name = nameOf(application, section);
        names.push(name);
        along.set(name, { held, offset: at });
      }
      return local;
    } catch (error) {
      local.release();
      throw error;
    }
  };
}

function nameOf(application: string, { file, offset, version }: StateSectionRef): string {
  return JSON.stringify([application, file, offset, version]);
}

/** The sections that follow the first one, and where. What is damaged is found out by who reads it. */
async function sectionsBelow(
  path: string,
  first: StateSectionRef,
): Promise<readonly { readonly section: StateSectionRef; readonly at: number }[]> {
  const found: { section: StateSectionRef; at: number }[] = [];
  const file = await onDisk(path, () => open(path, 'r'));
  try {
    const { size } = await file.stat();
    const header = Buffer.alloc(STATE_HEADER_BYTES_MAX + 16);
    let at = 0;
    for (let section = first; at + section.bytes < size; ) {
      const { bytesRead } = await file.read(header, 0, header.length, at);
      const { previous } = decodeStateHeader(header.subarray(0, bytesRead), section.file).meta;
      if (!previous) break;
      at += section.bytes;
      section = previous;
      found.push({ section, at });
    }
  } catch {
    // As far as it goes.
  } finally {
    await file.close();
  }
  return found;
}

async function download(
  { channel, clock }: Pick<StateFetchOptions, 'channel' | 'clock'>,
  application: string,
  ref: StateSectionRef,
  ahead: SectionsAhead | undefined,
  path: string,
): Promise<void> {
  const { file: name, offset, bytes } = ref;
  const chain = ahead !== undefined;
  // Before the call: one that nobody reads would fail where nobody hears it.
  const file = await onDisk(path, () => open(path, 'w', 0o600));
  const call = channel.programs.getState(
    { application, file: name, offset, bytes, chain, until: ahead?.until ?? '' },
    deadlineIn(FETCH_DEADLINE_MS, clock),
  );
  try {
    let received = 0;
    for await (const { data } of call as AsyncIterable<Chunk>) {
      received += data.length;
      if (received > bytes && !chain) break;
      await onDisk(path, () => file.writeFile(data));
    }
    if (chain ? received < bytes : received !== bytes)
      throw corruptState(name, `${received} of ${bytes} bytes arrived`);
  } catch (error) {
    call.cancel();
    throw grpcStatusToError(error, `fetching state from ${name}`);
  } finally {
    await file.close();
  }
}

async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw writeFailure(error, path);
  }
}
