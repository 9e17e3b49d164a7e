import { once } from 'node:events';
import type { ServerWritableStream } from '@grpc/grpc-js';

/** The signal that is aborted when the caller of a streaming method is gone. */
export function callerGone(call: NodeJS.EventEmitter): AbortSignal {
  const controller = new AbortController();
  const gone = (): void => controller.abort();
  for (const event of ['cancelled', 'close', 'error']) call.once(event, gone);
  return controller.signal;
}

/** Writes no faster than the caller reads. False: the caller is gone. */
export async function writeTo<Message>(
  call: ServerWritableStream<unknown, Message>,
  message: Message,
  gone: AbortSignal,
): Promise<boolean> {
  if (gone.aborted) return false;
  if (call.write(message)) return true;
  await once(call, 'drain', { signal: gone }).catch(() => undefined);
  return !gone.aborted;
}
