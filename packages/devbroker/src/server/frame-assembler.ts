/** What a connection's bytes turned out to be. */
export type Assembled =
  | { readonly ok: true; readonly frames: readonly Buffer[] }
  | { readonly ok: false; readonly frameBytes: number };

/** Cuts a byte stream into Kafka's frames: an int32 length, then that many bytes. Holds at most one unfinished frame. */
export class FrameAssembler {
  private readonly frameBytesMax: number;
  private chunks: Buffer[] = [];
  private bytes = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** The frames that `chunk` completes. Not ok: a length is negative or over the maximum, and the stream cannot be read on. */
  push(chunk: Buffer): Assembled {
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    const frames: Buffer[] = [];
    let wanted = this.nextFrameBytes();
    while (wanted !== undefined) {
      if (wanted < 0 || wanted > this.frameBytesMax) return { ok: false, frameBytes: wanted };
      if (this.bytes < 4 + wanted) break;
      const all = this.joined();
      frames.push(all.subarray(4, 4 + wanted));
      this.chunks = all.length > 4 + wanted ? [all.subarray(4 + wanted)] : [];
      this.bytes = all.length - 4 - wanted;
      wanted = this.nextFrameBytes();
    }
    return { ok: true, frames };
  }

  private nextFrameBytes(): number | undefined {
    if (this.bytes < 4) return undefined;
    const first = this.chunks[0] as Buffer;
    return (first.length >= 4 ? first : this.joined()).readInt32BE(0);
  }

  private joined(): Buffer {
    if (this.chunks.length > 1) this.chunks = [Buffer.concat(this.chunks, this.bytes)];
    return this.chunks[0] as Buffer;
  }
}
