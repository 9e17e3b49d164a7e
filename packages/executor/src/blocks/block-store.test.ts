import { describe, expect, it } from '@jest/globals';
import { BlockStore } from './block-store.ts';

const owner = { application: 'a', epoch: 1 };

describe('the block store', () => {
  it('keeps what was put until it is dropped', () => {
    const store = new BlockStore(10);
    store.put('x', Buffer.from('1234'), owner);
    expect(Buffer.from(store.get('x')).toString()).toBe('1234');
    store.drop(['x', 'unknown']);
    expect([store.size, store.bytes]).toEqual([0, 0]);
    expect(() => store.get('x')).toThrow(
      expect.objectContaining({ code: 'BLOCK_MISSING', details: { blockId: 'x' } }),
    );
  });

  it('refuses what does not fit, and evicts nothing for it', () => {
    const store = new BlockStore(10);
    store.put('x', Buffer.alloc(6), owner);
    expect(() => store.put('y', Buffer.alloc(5), owner)).toThrow(
      expect.objectContaining({ code: 'RESULT_TOO_LARGE' }),
    );
    store.put('x', Buffer.alloc(10), owner);
    expect(store.bytes).toBe(10);
  });

  it('drops older epochs of an application only', async () => {
    const store = new BlockStore(10);
    store.put('old', Buffer.alloc(1), owner);
    store.put('new', Buffer.alloc(1), { application: 'a', epoch: 2 });
    store.put('other', Buffer.alloc(1), { application: 'b', epoch: 1 });
    store.dropOwned(({ application, epoch }) => application === 'a' && epoch < 2);
    expect([store.size, store.bytes]).toEqual([2, 2]);
    const empty = store.empty();
    store.dropOwned(() => true);
    await empty;
  });
});
