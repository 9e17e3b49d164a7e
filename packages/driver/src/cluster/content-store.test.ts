import { describe, expect, it } from '@jest/globals';
import { ContentStore } from './content-store.ts';

describe('ContentStore', () => {
  it('holds the same content of two applications once, until both drop it', () => {
    const dropped: string[] = [];
    const store = new ContentStore(10, (hashes) => void dropped.push(...hashes));
    store.put('a', 'h', new Uint8Array(6));
    store.put('a', 'h', new Uint8Array(6));
    store.put('b', 'h', new Uint8Array(6));
    expect(store.bytes).toBe(6);
    store.drop('a', ['h', 'unknown']);
    store.drop('a', ['h']);
    expect(store.get('h')?.length).toBe(6);
    expect(dropped).toEqual([]);
    store.dropAll('b');
    expect(dropped).toEqual(['h']);
    expect(store.get('h')).toBeUndefined();
    expect(store.bytes).toBe(0);
  });

  it('takes no more than it may hold', () => {
    const store = new ContentStore(10);
    store.put('a', 'h', new Uint8Array(6));
    expect(() => store.put('b', 'i', new Uint8Array(5))).toThrow(/MESSAGE_TOO_LARGE/);
    store.dropAll('b');
    store.put('b', 'j', new Uint8Array(4));
    expect(store.bytes).toBe(10);
  });
});
