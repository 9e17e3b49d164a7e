import type { ServerWritableStream } from '@grpc/grpc-js';
import {
  type BlockChunkInit,
  type BlocksHandlers,
  type FetchBlocksRequest,
  failCall,
  writeChunks,
} from '@millrace/proto';
import { type BucketName, parseBlockId } from '../shuffle/block-name.ts';
import type { ShuffleStore } from '../shuffle/shuffle-store.ts';
import type { BlockStore } from './block-store.ts';

type Call = ServerWritableStream<FetchBlocksRequest, BlockChunkInit>;

/**
 * Streams blocks to whoever asks, one after the other, in the order asked for: results that stayed here, and buckets of map outputs.
 * A missing one ends the call with BLOCK_MISSING.
 */
export function blockHandlers(store: BlockStore, shuffles: ShuffleStore): BlocksHandlers {
  async function send(call: Call): Promise<void> {
    try {
      for (const blockId of call.request.blockIds) {
        const bucket = parseBlockId(blockId);
        if (bucket) await sendBucket(call, blockId, bucket);
        else await writeChunks(call, store.get(blockId), (data, last) => ({ blockId, data, last }));
      }
      call.end();
    } catch (error) {
      failCall(call, error);
    }
  }

  /** One chunk is held back: the last one says so. */
  async function sendBucket(call: Call, blockId: string, { name, bucket }: BucketName): Promise<void> {
    let held: Buffer | undefined;
    for await (const chunk of shuffles.read(name, bucket)) {
      if (held) await writeChunks(call, held, (data) => ({ blockId, data, last: false }));
      held = chunk;
    }
    await writeChunks(call, held ?? Buffer.alloc(0), (data, last) => ({ blockId, data, last }));
  }

  return { Fetch: (call) => void send(call) };
}
