import type { ServerWritableStream } from '@grpc/grpc-js';
import {
  type BlockChunkInit,
  type BlocksHandlers,
  type FetchBlocksRequest,
  failCall,
  writeChunks,
} from '@millrace/proto';
import type { BlockStore } from './block-store.ts';

/** Streams blocks to whoever asks, one after the other, in the order asked for. A missing one ends the call with BLOCK_MISSING. */
export function blockHandlers(store: BlockStore): BlocksHandlers {
  async function send(call: ServerWritableStream<FetchBlocksRequest, BlockChunkInit>): Promise<void> {
    try {
      for (const blockId of call.request.blockIds) {
        const toChunk = (data: Uint8Array, last: boolean): BlockChunkInit => ({ blockId, data, last });
        await writeChunks(call, store.get(blockId), toChunk);
      }
      call.end();
    } catch (error) {
      failCall(call, error);
    }
  }
  return { Fetch: (call) => void send(call) };
}
