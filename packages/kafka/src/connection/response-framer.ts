import type { PayloadPool } from './payload-pool.ts';

const LENGTH_BYTES = 4;

/** Where bytes go while no frame is open. Small: what follows the head of a large frame is read straight into it. */
const SCRATCH_BYTES = 64 * 1024;

/**
 * Cuts a byte stream into frames of [int32 length, bytes], each in a buffer of its own from `pool`. The stream is read into `space()`:
 * the rest of a large frame without a copy. (kafkajs collects all chunks of a response and joins them in the end: twice the memory and
 * more work for GC.)
 */
export class ResponseFramer {
  private readonly frameBytesMax: number;
  private readonly pool: PayloadPool;
  private readonly onFrame: (frame: Buffer) => void;
  private readonly scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  private readonly length = Buffer.alloc(LENGTH_BYTES);
  private lengthRead = 0;
  private frame: Buffer | undefined;
  private filled = 0;

  constructor(frameBytesMax: number, pool: PayloadPool, onFrame: (frame: Buffer) => void) {
    this.frameBytesMax = frameBytesMax;
    this.pool = pool;
    this.onFrame = onFrame;
  }

  /** No frame has begun. */
  get isEmpty(): boolean {
    return this.frame === undefined && this.lengthRead === 0;
  }

  /** Where the next bytes of the stream are to be written: at least one fits. */
  space(): Buffer {
    return this.frame === undefined ? this.scratch : this.frame.subarray(this.filled);
  }

  /**
   * `bytes` more were written to what `space()` gave last.
   * @throws RangeError when a length makes no sense: the peer does not speak Kafka.
   */
  wrote(bytes: number): void {
    if (this.frame === undefined) {
      this.push(this.scratch.subarray(0, bytes));
      return;
    }
    this.filled += bytes;
    this.finish(this.frame);
  }

  /** The next bytes of the stream: copied, `chunk` may be overwritten afterwards. @throws RangeError as `wrote` does. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.frame === undefined) {
        const taken = chunk.copy(this.length, this.lengthRead, at);
        at += taken;
        this.lengthRead += taken;
        if (this.lengthRead < LENGTH_BYTES) return;
        const bytes = this.length.readInt32BE(0);
        if (bytes < LENGTH_BYTES || bytes > this.frameBytesMax)
          throw new RangeError(
            `a response claims ${bytes} bytes: this is no Kafka broker, or it expects TLS`,
          );
        this.frame = this.pool.take(bytes);
        this.filled = 0;
      }
      const copied = chunk.copy(this.frame, this.filled, at);
      at += copied;
      this.filled += copied;
      this.finish(this.frame);
    }
  }

  private finish(frame: Buffer): void {
    if (this.filled < frame.length) return;
    this.frame = undefined;
    this.lengthRead = 0;
    this.onFrame(frame);
  }
}
