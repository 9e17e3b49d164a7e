import { type Clock, MillraceError } from '@millrace/common';
import {
  type Chunk,
  type ClientChannel,
  collectChunks,
  contentHash,
  deadlineIn,
  grpcStatusToError,
} from '@millrace/proto';

// sha-256 in hex; that of snapshots is cut to half its length.
const CONTENT_HASH = /^[0-9a-f]{32,64}$/;
const FETCH_DEADLINE_MS = 60_000;

/**
 * Content of the driver's, by hash; checked against it.
 * @throws MillraceError PROGRAM_MISSING or BLOCK_MISSING (the driver does not have it), BAD_REQUEST (damaged), MESSAGE_TOO_LARGE,
 *   DRIVER_UNREACHABLE, DEADLINE_EXCEEDED.
 */
export async function fetchContent(
  channel: ClientChannel,
  hash: string,
  what: string,
  bytesMax: number,
  clock: Clock,
): Promise<Uint8Array> {
  const call = channel.programs.get({ hash }, deadlineIn(FETCH_DEADLINE_MS, clock));
  async function* data(): AsyncGenerator<Uint8Array> {
    for await (const chunk of call as AsyncIterable<Chunk>) yield chunk.data;
  }
  const label = `${what} ${hash.slice(0, 12)}`;
  try {
    const content = await collectChunks(data(), { bytesMax, what: label });
    if (CONTENT_HASH.test(hash) && !contentHash(content).startsWith(hash)) {
      throw new MillraceError('BAD_REQUEST', `${label} arrived damaged: its content has another hash`, {
        details: { hash, bytes: content.length },
        retryable: true,
      });
    }
    return content;
  } catch (error) {
    call.cancel();
    throw MillraceError.is(error) ? error : grpcStatusToError(error, `fetching ${label}`);
  }
}
