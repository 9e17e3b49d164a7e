import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { PayloadPool } from './payload-pool.ts';
import { ResponseFramer } from './response-framer.ts';

function framed(body: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  return frame;
}

/** Writes as a socket does: as much as fits and has come. */
function read(framer: ResponseFramer, chunk: Buffer): void {
  for (let at = 0; at < chunk.length; ) {
    const bytes = chunk.copy(framer.space(), 0, at);
    at += bytes;
    framer.wrote(bytes);
  }
}

const WAYS: Readonly<Record<string, (framer: ResponseFramer, chunk: Buffer) => void>> = {
  'pushed and overwritten afterwards': (framer, chunk) => {
    framer.push(chunk);
    chunk.fill(0xee);
  },
  'read into the space it gives': read,
};

describe('ResponseFramer', () => {
  for (const [way, feed] of Object.entries(WAYS)) {
    it(`cuts the same frames whatever the chunks, ${way}`, () => {
      const aBody = fc.uint8Array({ minLength: 4, maxLength: 50 });
      fc.assert(
        fc.property(
          fc.array(aBody, { maxLength: 8 }),
          fc.array(fc.integer({ min: 1, max: 60 })),
          (bodies, cuts) => {
            const frames: Buffer[] = [];
            const seen: string[] = [];
            const framer = new ResponseFramer(100, new PayloadPool(), (frame) => {
              seen.push(frame.toString('hex'));
              frames.push(frame);
            });
            const stream = Buffer.concat(bodies.map(framed));
            for (let at = 0, i = 0; at < stream.length; i++) {
              const chunk = Buffer.from(stream.subarray(at, at + (cuts[i] ?? 1000)));
              at += chunk.length;
              feed(framer, chunk);
            }
            const expected = bodies.map((body) => Buffer.from(body).toString('hex'));
            expect(seen).toEqual(expected);
            expect(frames.map((frame) => frame.toString('hex'))).toEqual(expected);
            expect(framer.isEmpty).toBe(true);
          },
        ),
      );
    });
  }

  it('reads the rest of a large frame straight into it, and a payload that was given back is filled again', () => {
    const pool = new PayloadPool();
    const frames: Buffer[] = [];
    const framer = new ResponseFramer(2 ** 20, pool, (frame) => frames.push(frame));
    const body = Buffer.alloc(300_000, 'abcdefg');
    read(framer, framed(body));
    read(framer, framed(body));
    const [first, second] = frames as [Buffer, Buffer];
    expect(first.equals(body)).toBe(true);
    expect(second.equals(body)).toBe(true);
    expect(second.buffer).not.toBe(first.buffer);
    pool.give(first.subarray(10));
    framer.push(framed(body).subarray(0, 4));
    expect(framer.space().buffer).toBe(first.buffer);
    read(framer, body);
    expect(frames[2]?.equals(body)).toBe(true);
  });

  it('refuses lengths that no broker sends', () => {
    for (const text of [
      'HTTP/1.1 400 Bad Request',
      '\x15\x03\x03\x00\x02\x02\x16',
      '\0\0\0\x03abc',
      '\xff\xff\xff\xff',
    ]) {
      const framer = new ResponseFramer(1000, new PayloadPool(), () => {});
      expect(() => framer.push(Buffer.from(text, 'latin1'))).toThrow(RangeError);
    }
  });
});
