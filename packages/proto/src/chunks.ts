import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { MillraceError } from '@millrace/common';
import { CHUNK_BYTES_MAX } from './limits.ts';

/** Views of `bytes`, each of at most `size` bytes; one empty view when there are none. */
export function* chunksOf(bytes: Uint8Array, size = CHUNK_BYTES_MAX): Generator<Uint8Array> {
  for (let at = 0; at === 0 || at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** What chunks are written to: a gRPC stream of either side. */
export interface ChunkSink<Message> {
  write(message: Message): boolean;
  readonly destroyed?: boolean;
}

/**
 * Writes `bytes` as messages, one a chunk, no faster than the other side reads.
 * @throws MillraceError CANCELLED when the stream is closed.
 */
export async function writeChunks<Message>(
  stream: ChunkSink<Message> & NodeJS.EventEmitter,
  bytes: Uint8Array,
  toMessage: (chunk: Uint8Array, last: boolean) => Message,
): Promise<void> {
  let sent = 0;
  for (const chunk of chunksOf(bytes)) {
    if (stream.destroyed === true)
      throw new MillraceError('CANCELLED', 'the stream was closed while it was written');
    sent += chunk.length;
    if (!stream.write(toMessage(chunk, sent === bytes.length))) await drained(stream);
  }
}

/** A peer that goes away never drains: whichever of the ends comes first ends the wait. */
async function drained(stream: NodeJS.EventEmitter): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  try {
    await Promise.race([
      once(stream, 'drain', { signal }),
      ...['close', 'cancelled', 'error'].map(async (event) => {
        await once(stream, event, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        throw new MillraceError('CANCELLED', 'the stream was closed while it was written');
      }),
    ]);
  } finally {
    controller.abort();
  }
}

export interface CollectOptions {
  readonly bytesMax: number;
  /** sha-256 in hex of the whole; absent: not checked. */
  readonly sha256?: string;
  readonly what: string;
}

/**
 * All chunks as one buffer.
 * @throws MillraceError MESSAGE_TOO_LARGE above `bytesMax` (as soon as it is), BAD_REQUEST when the content has another hash.
 */
export async function collectChunks(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: CollectOptions,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > options.bytesMax) {
      throw new MillraceError(
        'MESSAGE_TOO_LARGE',
        `${options.what} has more than ${options.bytesMax} bytes`,
        {
          details: { bytesMax: options.bytesMax },
        },
      );
    }
    hash.update(chunk);
    parts.push(chunk);
  }
  const found = hash.digest('hex');
  if (options.sha256 !== undefined && found !== options.sha256) {
    throw new MillraceError('BAD_REQUEST', `${options.what} arrived damaged: its content has another hash`, {
      details: { expected: options.sha256, found, bytes },
      retryable: true,
    });
  }
  return Buffer.concat(parts, bytes);
}
