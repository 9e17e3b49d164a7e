import { describe, expect, it } from '@jest/globals';
import { ProducerSequences } from './producer-sequences.ts';

function sequences(): ProducerSequences {
  let identities = 0n;
  return new ProducerSequences(async () => ({ id: identities++, epoch: 0 }));
}

describe('ProducerSequences', () => {
  it('numbers the records of each partition on, and gives a batch the same number until it is written', async () => {
    const numbers = sequences();
    expect(await Promise.all([numbers.next('t-0'), numbers.next('t-1')])).toEqual([
      { id: 0n, epoch: 0, sequence: 0 },
      { id: 0n, epoch: 0, sequence: 0 },
    ]);
    numbers.written('t-0', 7);
    expect((await numbers.next('t-0')).sequence).toBe(7);
    expect((await numbers.next('t-0')).sequence).toBe(7);
    expect((await numbers.next('t-1')).sequence).toBe(0);
  });

  it('begin again after 2^31 − 1', async () => {
    const numbers = sequences();
    await numbers.next('t-0');
    numbers.written('t-0', 2 ** 31 - 3);
    numbers.written('t-0', 5);
    expect((await numbers.next('t-0')).sequence).toBe(2);
  });

  it('give a partition that is in doubt a new identity, and leave the others theirs', async () => {
    const numbers = sequences();
    for (const key of ['t-0', 't-1'] as const) await numbers.next(key);
    numbers.written('t-1', 3);
    numbers.forget('t-0');
    expect(await numbers.next('t-0')).toEqual({ id: 1n, epoch: 0, sequence: 0 });
    expect(await numbers.next('t-1')).toEqual({ id: 0n, epoch: 0, sequence: 3 });
  });

  it('never begin again under an old identity when there are too many partitions to remember', async () => {
    const numbers = sequences();
    for (let i = 0; i <= 10_000; i++) await numbers.next(`t-${i}`);
    expect(await numbers.next('t-0')).toEqual({ id: 1n, epoch: 0, sequence: 0 });
  });

  it('ask again for an identity that could not be had', async () => {
    let asked = 0;
    const numbers = new ProducerSequences(async () => {
      if (asked++ === 0) throw new Error('not now');
      return { id: 9n, epoch: 1 };
    });
    const first = await Promise.allSettled([numbers.next('t-0'), numbers.next('t-1')]);
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await numbers.next('t-0')).toEqual({ id: 9n, epoch: 1, sequence: 0 });
  });
});
