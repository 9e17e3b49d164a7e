import { describe, expect, it } from '@jest/globals';
import { KAFKA_ERROR } from '@millrace/kafka';
import { type ProducerIdentity, TransactionalId } from './transactional-id.ts';

const { NONE, PRODUCER_FENCED, INVALID_TXN_STATE, CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_ID_MAPPING } =
  KAFKA_ERROR;
const TP = { topic: 't', partition: 0 };

function ids() {
  let next = 100;
  return () => next++;
}

function initialised(): { readonly tx: TransactionalId; readonly by: ProducerIdentity } {
  const tx = new TransactionalId('tx', 7);
  expect(tx.init(1000, undefined, ids()).errorCode).toBe(NONE);
  return { tx, by: tx.identity };
}

describe('a transactional id in its coordinator', () => {
  it('begins at epoch 0 and rises by one with every init', () => {
    const { tx, by } = initialised();
    expect(by).toEqual({ producerId: 7, producerEpoch: 0 });
    tx.init(1000, undefined, ids());
    expect(tx.identity).toEqual({ producerId: 7, producerEpoch: 1 });
    expect(tx.add(by, { partitions: [TP] }, 0).errorCode).toBe(PRODUCER_FENCED);
    expect(tx.end(by, true).errorCode).toBe(PRODUCER_FENCED);
    expect(tx.verify(by, TP)).toBe(PRODUCER_FENCED);
    expect(tx.end({ ...by, producerId: 8 }, true).errorCode).toBe(INVALID_PRODUCER_ID_MAPPING);
  });

  it('opens with the first partition or group, and tells what to end', () => {
    const { tx, by } = initialised();
    expect(tx.verify(by, TP)).toBe(INVALID_TXN_STATE);
    expect(tx.add(by, { partitions: [TP] }, 5).errorCode).toBe(NONE);
    expect(tx.add(by, { groupId: 'g' }, 6).errorCode).toBe(NONE);
    expect([tx.status, tx.startedAt, tx.verify(by, TP), tx.verify(by, { groupId: 'g' })]).toEqual([
      'Ongoing',
      5,
      NONE,
      NONE,
    ]);
    expect(tx.end(by, true)).toEqual({
      errorCode: NONE,
      markers: { ...by, commit: true, partitions: [TP], groups: ['g'] },
    });
    expect(tx.end(by, true)).toEqual({ errorCode: CONCURRENT_TRANSACTIONS });
    expect(tx.add(by, { partitions: [TP] }, 7).errorCode).toBe(CONCURRENT_TRANSACTIONS);
    expect(tx.init(1000, undefined, ids()).errorCode).toBe(CONCURRENT_TRANSACTIONS);
    tx.markersWritten();
    expect([tx.status, tx.partitions]).toEqual(['CompleteCommit', []]);
  });

  it.each([
    [true, 'CompleteCommit'],
    [false, 'CompleteAbort'],
  ])(
    'ends with commit=%s once; the same end again changes nothing, the other is refused',
    (commit, status) => {
      const { tx, by } = initialised();
      expect(tx.end(by, commit).errorCode).toBe(INVALID_TXN_STATE);
      tx.add(by, { partitions: [TP] }, 0);
      tx.end(by, commit);
      tx.markersWritten();
      expect(tx.status).toBe(status);
      expect(tx.end(by, commit)).toEqual({ errorCode: NONE });
      expect(tx.end(by, !commit)).toEqual({ errorCode: INVALID_TXN_STATE });
    },
  );

  it('is aborted by an init under a higher epoch, and gives the next one to who asks again', () => {
    const { tx, by } = initialised();
    tx.add(by, { partitions: [TP] }, 0);
    expect(tx.init(1000, undefined, ids())).toEqual({
      errorCode: CONCURRENT_TRANSACTIONS,
      markers: { producerId: 7, producerEpoch: 1, commit: false, partitions: [TP], groups: [] },
    });
    tx.markersWritten();
    expect(tx.init(1000, undefined, ids()).errorCode).toBe(NONE);
    expect(tx.identity.producerEpoch).toBe(2);
    expect(tx.end(by, true).errorCode).toBe(PRODUCER_FENCED);
  });

  it('expires only while it is open, and fences its producer then', () => {
    const { tx, by } = initialised();
    expect(tx.expire()).toBeUndefined();
    tx.add(by, { partitions: [TP] }, 0);
    expect(tx.expire()).toMatchObject({ commit: false, producerEpoch: 1 });
    tx.markersWritten();
    expect(tx.end(by, true).errorCode).toBe(PRODUCER_FENCED);
    // The epoch was raised by the coordinator, not by the producer: it may not go on (KIP-360).
    expect(tx.init(1000, by, ids()).errorCode).toBe(PRODUCER_FENCED);
  });

  it('lets its own producer go on under the next epoch, also when it asks twice, and nobody else', () => {
    const { tx, by } = initialised();
    expect(tx.init(1000, by, ids()).errorCode).toBe(NONE);
    expect(tx.identity.producerEpoch).toBe(1);
    expect(tx.init(1000, by, ids()).errorCode).toBe(NONE);
    expect(tx.identity.producerEpoch).toBe(1);
    tx.init(1000, undefined, ids());
    expect(tx.init(1000, by, ids()).errorCode).toBe(PRODUCER_FENCED);
  });

  it('gets another producer id when its epochs are used up', () => {
    const { tx } = initialised();
    for (let epoch = 1; epoch < 2 ** 15 - 1; epoch++) tx.init(1000, undefined, ids());
    expect(tx.identity).toEqual({ producerId: 7, producerEpoch: 32_766 });
    tx.init(1000, undefined, ids());
    expect(tx.identity).toEqual({ producerId: 100, producerEpoch: 0 });
  });
});
