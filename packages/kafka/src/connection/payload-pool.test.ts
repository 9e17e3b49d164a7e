import { describe, expect, it } from '@jest/globals';
import { PayloadPool } from './payload-pool.ts';

const MIB = 1024 * 1024;

describe('PayloadPool', () => {
  it('gives a payload again that was given back, but not for one of less than half the size', () => {
    const pool = new PayloadPool();
    const payload = pool.take(4 * MIB);
    pool.give(payload.subarray(4));
    expect(pool.take(MIB).buffer).not.toBe(payload.buffer);
    const again = pool.take(4 * MIB - 1000);
    expect(again.buffer).toBe(payload.buffer);
    expect(again).toHaveLength(4 * MIB - 1000);
    expect(pool.take(4 * MIB).buffer).not.toBe(payload.buffer);
  });

  it('never shares memory: small payloads stand alone, and none is given back twice', () => {
    const pool = new PayloadPool();
    expect(pool.take(100).buffer.byteLength).toBe(100);
    const payload = pool.take(MIB);
    pool.give(payload);
    expect(() => pool.give(payload)).toThrow(/given back once/);
  });

  it('keeps at most 32 MiB', () => {
    const pool = new PayloadPool();
    const payloads = Array.from({ length: 20 }, () => pool.take(4 * MIB));
    for (const payload of payloads) pool.give(payload);
    const memories = new Set(payloads.map(({ buffer }) => buffer));
    const again = payloads.filter(() => memories.has(pool.take(4 * MIB).buffer));
    expect(again).toHaveLength(8);
  });
});
