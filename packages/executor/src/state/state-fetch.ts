import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@millrace/common';
import { type Chunk, type ClientChannel, deadlineIn, grpcStatusToError } from '@millrace/proto';
import { corruptState, type StateSectionRef } from '@millrace/proto/task';
import { writeFailure } from '../shuffle/shuffle-failure.ts';
import type { FetchState, LocalStateSection } from './state-load.ts';

export interface StateFetchOptions {
  readonly channel: ClientChannel;
  /** Sections are held here while they are read. */
  readonly directory: string;
  readonly clock: Clock;
}

const FETCH_DEADLINE_MS = 300_000;

/**
 * Brings sections of state from the driver to this machine, each to a file of its own: they may be larger than a process's memory.
 * What it makes throws MillraceError STATE_CORRUPT, SHUFFLE_DISK, DRIVER_UNREACHABLE, DEADLINE_EXCEEDED.
 */
export function stateFetcher({ channel, directory, clock }: StateFetchOptions): FetchState {
  let files = 0;
  return async (application, ref) => {
    const path = join(directory, `section-${files++}`);
    await onDisk(path, () => mkdir(directory, { recursive: true, mode: 0o700 }));
    const local: LocalStateSection = {
      path,
      offset: 0,
      release: () => void rm(path, { force: true }).catch(() => undefined),
    };
    try {
      await download({ channel, clock }, application, ref, path);
      return local;
    } catch (error) {
      local.release();
      throw error;
    }
  };
}

async function download(
  { channel, clock }: Pick<StateFetchOptions, 'channel' | 'clock'>,
  application: string,
  ref: StateSectionRef,
  path: string,
): Promise<void> {
  const { file: name, offset, bytes } = ref;
  // Before the call: one that nobody reads would fail where nobody hears it.
  const file = await onDisk(path, () => open(path, 'w', 0o600));
  const call = channel.programs.getState(
    { application, file: name, offset, bytes },
    deadlineIn(FETCH_DEADLINE_MS, clock),
  );
  try {
    let received = 0;
    for await (const { data } of call as AsyncIterable<Chunk>) {
      received += data.length;
      if (received > bytes) break;
      await onDisk(path, () => file.writeFile(data));
    }
    if (received !== bytes) throw corruptState(name, `${received} of ${bytes} bytes arrived`);
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
