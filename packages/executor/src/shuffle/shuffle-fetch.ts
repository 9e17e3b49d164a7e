import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, MillraceError } from '@millrace/common';
import { type ClientChannel, clientChannel, grpcStatusToError, type SecurityOptions } from '@millrace/proto';
import type { ShuffleBlockMessage } from '@millrace/proto/task';
import { blockIdOf } from './block-name.ts';
import { fetchFailed, writeFailure } from './shuffle-failure.ts';
import type { BlockSource } from './shuffle-reader.ts';
import type { ShuffleStore } from './shuffle-store.ts';

export interface ShuffleFetchOptions {
  readonly store: ShuffleStore;
  /** Blocks of this executor are read where they are. */
  readonly executorId: string;
  /** Of its own: what is fetched waits here until its task has ended. */
  readonly directory: string;
  readonly security: SecurityOptions;
  readonly clock: Clock;
  /** So long an executor may send nothing before it counts as lost. */
  readonly silenceMsMax: number;
}

/** What a task of a shuffle reads, on this machine. */
export interface LocatedBlocks {
  /** In the order asked for. */
  readonly sources: readonly BlockSource[];
  /** Removes what was fetched for it. Idempotent; never throws. */
  release(): Promise<void>;
}

/** Connections that are kept while nothing is read over them. */
const CHANNELS_MAX = 64;
/** Executors that are read from at a time, for one task. */
const EXECUTORS_AT_ONCE = 8;
/** A request names no more blocks: it must fit in a message. */
const BLOCKS_A_CALL = 5_000;

interface Peer {
  readonly channel: ClientChannel;
  /** That are under way. */
  calls: number;
}

/**
 * Brings the blocks of a shuffle to this machine: those of other executors over one stream each, no faster than the disk takes them.
 * Slots have neither the token nor a way to other executors.
 */
export class ShuffleFetch {
  readonly #options: ShuffleFetchOptions;
  /** By address, least recently used first. */
  readonly #channels = new Map<string, Peer>();
  #fetches = 0;

  constructor(options: ShuffleFetchOptions) {
    this.#options = options;
  }

  /** @throws MillraceError FETCH_FAILED, naming the executor; SHUFFLE_DISK. */
  async locate(blocks: readonly ShuffleBlockMessage[]): Promise<LocatedBlocks> {
    const directory = join(this.#options.directory, String(this.#fetches++));
    const release = (): Promise<void> =>
      rm(directory, { recursive: true, force: true }).catch(() => undefined);
    const found = new Map<ShuffleBlockMessage, BlockSource>();
    const remote = new Map<string, ShuffleBlockMessage[]>();
    try {
      for (const block of blocks) {
        if (block.executorId === this.#options.executorId) found.set(block, await this.#local(block));
        else {
          const wanted = remote.get(block.address) ?? [];
          wanted.push(block);
          remote.set(block.address, wanted);
        }
      }
      const peers = [...remote.values()].entries();
      // The entries are shared: each lane takes the next one.
      const lane = async (): Promise<void> => {
        for (const [index, wanted] of peers) await this.#fetch(wanted, join(directory, String(index)), found);
      };
      if (remote.size > 0) await mkdir(directory, { recursive: true, mode: 0o700 });
      const lanes = Array.from({ length: Math.min(EXECUTORS_AT_ONCE, remote.size) }, lane);
      // All of them have to stop before their files go.
      const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    } catch (error) {
      await release();
      throw error;
    }
    return { sources: blocks.map((block) => found.get(block) as BlockSource), release };
  }

  close(): void {
    for (const { channel } of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  async #local(block: ShuffleBlockMessage): Promise<BlockSource> {
    const { directory: shuffle, mapPartition, attempt, bucket } = block;
    try {
      const source = await this.#options.store.source({ shuffle, mapPartition, attempt }, bucket);
      return { ...source, details: detailsOf(block) };
    } catch (error) {
      throw failure(block, error);
    }
  }

  /** Blocks of one executor, into one file. */
  async #fetch(
    blocks: readonly ShuffleBlockMessage[],
    path: string,
    found: Map<ShuffleBlockMessage, BlockSource>,
  ): Promise<void> {
    const file = await open(path, 'wx', 0o600).catch((error: unknown) =>
      Promise.reject(writeFailure(error, path)),
    );
    try {
      let offset = 0;
      for (let at = 0; at < blocks.length; at += BLOCKS_A_CALL) {
        const part = blocks.slice(at, at + BLOCKS_A_CALL);
        for await (const [block, bytes] of this.#received(part, file, path)) {
          found.set(block, { path, ranges: [{ offset, bytes }], details: detailsOf(block) });
          offset += bytes;
        }
      }
    } finally {
      await file.close();
    }
  }

  /** Each block, when it is in the file, with its bytes. */
  async *#received(
    blocks: readonly ShuffleBlockMessage[],
    file: FileHandle,
    path: string,
  ): AsyncGenerator<readonly [ShuffleBlockMessage, number], void, undefined> {
    const [first] = blocks;
    if (first === undefined) return;
    const { clock, silenceMsMax } = this.#options;
    const peer = this.#peerAt(first.address);
    const call = peer.channel.blocks.fetch({ blockIds: blocks.map(idOf) });
    let silent = false;
    const watch = () =>
      clock.schedule(silenceMsMax, () => {
        silent = true;
        call.cancel();
      });
    let timer = watch();
    let at = 0;
    let bytes = 0;
    try {
      for await (const { data, last } of call) {
        timer.cancel();
        await file.appendFile(data).catch((error: unknown) => Promise.reject(writeFailure(error, path)));
        bytes += data.length;
        if (last) {
          const block = blocks[at++];
          if (block === undefined || bytes !== block.bytes) throw new Error(`${bytes} bytes came`);
          yield [block, bytes];
          bytes = 0;
        }
        timer = watch();
      }
      if (at < blocks.length) throw new Error('the stream ended before its last block');
    } catch (error) {
      if (MillraceError.is(error, 'SHUFFLE_DISK')) throw error;
      const why = silent ? new Error(`nothing came for ${silenceMsMax} ms`) : error;
      throw failure(blocks[at] ?? first, why);
    } finally {
      timer.cancel();
      call.cancel();
      peer.calls--;
      this.#closeIdle();
    }
  }

  #peerAt(address: string): Peer {
    const { clock, security } = this.#options;
    const peer = this.#channels.get(address) ?? {
      channel: clientChannel({ address, clock, ...security }),
      calls: 0,
    };
    peer.calls++;
    this.#channels.delete(address);
    this.#channels.set(address, peer);
    return peer;
  }

  /** Executors come and go, each with an address of its own. */
  #closeIdle(): void {
    for (const [address, { channel, calls }] of this.#channels) {
      if (this.#channels.size <= CHANNELS_MAX) return;
      if (calls > 0) continue;
      channel.close();
      this.#channels.delete(address);
    }
  }
}

function idOf({ directory: shuffle, mapPartition, attempt, bucket }: ShuffleBlockMessage): string {
  return blockIdOf({ name: { shuffle, mapPartition, attempt }, bucket });
}

function detailsOf({ executorId, directory, mapPartition, attempt, bucket }: ShuffleBlockMessage) {
  return { executorId, shuffle: directory, mapPartition, attempt, bucket };
}

function failure(block: ShuffleBlockMessage, cause: unknown): MillraceError {
  return fetchFailed({ ...detailsOf(block), address: block.address }, grpcStatusToError(cause, 'a block'));
}
