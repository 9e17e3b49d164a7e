import { type Clock, MillraceError } from '@millrace/common';
import {
  type BlockChunk,
  type ClientChannel,
  clientChannel,
  collectChunks,
  deadlineIn,
  grpcStatusToError,
  type SecurityOptions,
} from '@millrace/proto';
import type { RemoteResult } from './scheduler-messages.ts';

export interface ResultFetcherOptions {
  readonly clock: Clock;
  readonly security: SecurityOptions;
  readonly resultBytesMax: number;
  readonly fetchTimeoutMs: number;
}

/** Fetches results that are too large for a TaskEnded message from the executors that hold them. */
export class ResultFetcher {
  readonly #options: ResultFetcherOptions;
  /** By address; as many as there are executors that had large results. */
  readonly #channels = new Map<string, ClientChannel>();

  constructor(options: ResultFetcherOptions) {
    this.#options = options;
  }

  /** @throws MillraceError RESULT_TOO_LARGE, BLOCK_MISSING, DEADLINE_EXCEEDED. */
  async fetch(block: RemoteResult): Promise<Uint8Array> {
    const { clock, resultBytesMax, fetchTimeoutMs } = this.#options;
    if (block.bytes > resultBytesMax) throw tooLarge(block.bytes, resultBytesMax);
    const call = this.#channelTo(block.address).blocks.fetch(
      { blockIds: [block.blockId] },
      deadlineIn(fetchTimeoutMs, clock),
    );
    const what = `the result block ${block.blockId} at ${block.address}`;
    try {
      return await collectChunks(dataOf(call, what), { bytesMax: resultBytesMax, what });
    } catch (error) {
      throw meaningOf(error, what, resultBytesMax);
    } finally {
      call.cancel();
    }
  }

  forget(address: string): void {
    this.#channels.get(address)?.close();
    this.#channels.delete(address);
  }

  close(): void {
    for (const address of this.#channels.keys()) this.forget(address);
  }

  #channelTo(address: string): ClientChannel {
    const known = this.#channels.get(address);
    if (known) return known;
    const channel = clientChannel({ address, clock: this.#options.clock, ...this.#options.security });
    this.#channels.set(address, channel);
    return channel;
  }
}

async function* dataOf(chunks: AsyncIterable<BlockChunk>, what: string): AsyncGenerator<Uint8Array> {
  let complete = false;
  for await (const chunk of chunks) {
    yield chunk.data;
    complete = chunk.last;
  }
  if (!complete) throw new MillraceError('BLOCK_MISSING', `${what} ended before its last chunk`);
}

function meaningOf(thrown: unknown, what: string, bytesMax: number): MillraceError {
  const error = grpcStatusToError(thrown, what);
  if (MillraceError.is(error, 'MESSAGE_TOO_LARGE')) return tooLarge(bytesMax + 1, bytesMax);
  // Here the other side is an executor.
  if (!MillraceError.is(error, 'DRIVER_UNREACHABLE')) return error;
  return new MillraceError('BLOCK_MISSING', `${what} cannot be reached`, { cause: error });
}

function tooLarge(bytes: number, bytesMax: number): MillraceError {
  return new MillraceError('RESULT_TOO_LARGE', `a task result has ${bytes} bytes; ${bytesMax} are allowed`, {
    remedy:
      'Aggregate on the executors, write from tasks instead of collecting, or raise resultBytesMax of the driver.',
    details: { bytes, bytesMax },
  });
}
