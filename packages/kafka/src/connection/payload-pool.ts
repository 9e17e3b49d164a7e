import { invariant } from '@millrace/common';

/** Smaller ones are cheaper to make than to keep. */
const POOLED_BYTES_MIN = 64 * 1024;
/** Free buffers that are kept: more than this many bytes of them are left to GC. */
const FREE_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Buffers for responses. A reader that is done with a payload gives it back, so that the next one comes into warm memory: to make (and
 * collect, and have the kernel map) a buffer of several MiB for each fetch costs more than to decode what is in it. Who keeps a payload
 * just never gives it back.
 */
export class PayloadPool {
  private readonly free: ArrayBuffer[] = [];
  private freeBytes = 0;

  /** A buffer of `bytes` bytes of any content, alone on its memory. */
  take(bytes: number): Buffer {
    if (bytes < POOLED_BYTES_MIN) return Buffer.allocUnsafeSlow(bytes);
    // Not one of more than twice the size: whoever keeps it would keep all of it.
    const found = this.free.findLastIndex(({ byteLength }) => byteLength >= bytes && byteLength <= 2 * bytes);
    if (found === -1) return Buffer.allocUnsafeSlow(roomy(bytes)).subarray(0, bytes);
    const [memory] = this.free.splice(found, 1) as [ArrayBuffer];
    this.freeBytes -= memory.byteLength;
    return Buffer.from(memory, 0, bytes);
  }

  /** `payload` is a view of a buffer that `take` gave; nothing refers to it any more. */
  give(payload: Buffer): void {
    const memory = payload.buffer as ArrayBuffer;
    const bytes = memory.byteLength;
    if (bytes < POOLED_BYTES_MIN || this.freeBytes + bytes > FREE_BYTES_MAX) return;
    invariant(!this.free.includes(memory), 'a payload is given back once');
    this.free.push(memory);
    this.freeBytes += bytes;
  }
}

/** Fetches of about the same size shall fit each other's buffers. */
function roomy(bytes: number): number {
  return Math.ceil(bytes / POOLED_BYTES_MIN) * POOLED_BYTES_MIN;
}
