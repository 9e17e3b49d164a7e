import { describe, expect, it } from '@jest/globals';
import { unlessAborted } from './unless-aborted.ts';

const never = new Promise<never>(() => undefined);

describe('unlessAborted', () => {
  it('gives what the work gives, or throws what it throws', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(Promise.resolve(5), signal, 'left')).toBe(5);
    await expect(unlessAborted(Promise.reject(new RangeError('no')), signal, 'left')).rejects.toThrow('no');
  });

  it('ends when the signal is aborted, and when it was before', async () => {
    const abort = new AbortController();
    const waiting = unlessAborted(never, abort.signal, 'left');
    abort.abort();
    const expected = { code: 'CANCELLED', what: 'left' };
    await expect(waiting).rejects.toMatchObject(expected);
    await expect(unlessAborted(never, abort.signal, 'left')).rejects.toMatchObject(expected);
  });
});
