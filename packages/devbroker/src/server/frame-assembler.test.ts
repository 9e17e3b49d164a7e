import { describe, expect, it } from '@jest/globals';
import { FrameAssembler } from './frame-assembler.ts';

function frame(text: string): Buffer {
  const buffer = Buffer.alloc(4 + Buffer.byteLength(text));
  buffer.writeInt32BE(buffer.length - 4, 0);
  buffer.write(text, 4);
  return buffer;
}

function texts(assembler: FrameAssembler, chunk: Buffer): readonly string[] {
  const assembled = assembler.push(chunk);
  if (!assembled.ok) throw new Error(`refused ${assembled.frameBytes}`);
  return assembled.frames.map(String);
}

describe('the frame assembler', () => {
  it('cuts frames out of chunks of any size', () => {
    const stream = Buffer.concat(['one', '', 'three', 'x'.repeat(300)].map(frame));
    for (let size = 1; size <= stream.length; size++) {
      const assembler = new FrameAssembler(1000);
      const found: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        found.push(...texts(assembler, stream.subarray(at, at + size)));
      }
      expect(found).toEqual(['one', '', 'three', 'x'.repeat(300)]);
    }
  });

  it.each([-1, -2147483648, 1001, 0x47455420])('refuses a frame of %d bytes at once', (bytes) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(bytes, 0);
    expect(new FrameAssembler(1000).push(head)).toEqual({ ok: false, frameBytes: bytes });
  });
});
